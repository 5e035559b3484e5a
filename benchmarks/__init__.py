"""Measurements that are run by hand; docs/benchmarks.md records what they gave."""
