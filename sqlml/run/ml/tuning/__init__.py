"""Searches for params: a task and its folds in, trials and the best of them out."""
