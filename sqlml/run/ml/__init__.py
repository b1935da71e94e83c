"""Fits, saves, evaluates and applies ML models with Spark ML: relations in, fitted models and predictions out."""
