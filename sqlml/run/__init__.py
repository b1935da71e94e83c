"""The run phase: a Plan in, RunResults out; the only package that knows Spark."""
