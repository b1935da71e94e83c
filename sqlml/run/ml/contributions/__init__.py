"""What each feature adds to a prediction: a fitted model in, its rows' explanations out.

`read_trees` reads what Spark saved as `trees`, `shapley` turns them into tables of contributions, `forest` makes of
these a forest that Spark evaluates; `linear` does the same for linear models. `explainer` chooses, and `rows` adds the
columns.
"""
