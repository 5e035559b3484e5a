"""The error that every reader raises."""


class SourceError(ValueError):
    """The source lacks what was asked for; the message says what to ask for instead."""
