"""Readers of the outside world. Each returns plain tables."""
