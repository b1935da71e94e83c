"""Checks of one statement against Spark's own rules: its tree and types in, what Spark would refuse out."""
