"""Filtered ranks, metrics, untrained baselines and predictions."""
