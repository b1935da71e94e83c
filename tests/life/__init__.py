"""End-to-end tests of a build's life: real processes, real Spark, real crashes."""
