"""What each feature adds to a prediction: a fitted model in, its rows' explanations out.

`read_trees` reads what Spark saved as `trees`, `packing` lays them out for `TreeShap.java`, which follows each row
through them, and which `java_class` brings to Spark; `linear` does the same for linear models by one of Spark's own.
`explainer` chooses, and `rows` adds the columns.
"""
