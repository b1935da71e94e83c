"""What each feature adds to a prediction: a fitted model in, its rows' explanations out.

`trees` reads Spark's trees, `shapley` turns them into tables of contributions, `tables` makes of these a forest that
Spark evaluates; `linear` does the same for linear models, and `rows` adds the columns to scored rows.
"""
