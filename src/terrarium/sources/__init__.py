"""Readers of files and packages. Each returns plain tables."""
