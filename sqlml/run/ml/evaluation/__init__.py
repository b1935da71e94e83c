"""Measures fitted models: scored rows in, metrics with intervals and the tables behind curves out.

The scored rows are read once, by Spark SQL (`binary`, `multiclass`, `regression`). What comes of it is a bounded number
of groups of rows, from which all metrics, intervals and curves follow; no row leaves Spark.
"""
