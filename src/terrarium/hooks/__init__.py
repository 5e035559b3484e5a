"""Kedro hooks: valid parameters, consistent versions, a record of every run, and where its results lie.

The hooks keep no state between runs and do not depend on the order in which they are registered.
"""
