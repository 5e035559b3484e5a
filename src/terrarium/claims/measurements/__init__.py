"""Measurements of statements, by the functions that the pipelines use."""
