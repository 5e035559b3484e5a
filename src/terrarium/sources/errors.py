"""The error that all readers raise."""


class SourceError(ValueError):
    """A source is missing, broken or lacks what was requested; the message says how to correct it."""
