"""Measurements that are run by hand; their tables are kept in benchmarks/results."""
