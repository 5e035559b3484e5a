"""The error that all readers raise."""


class SourceError(ValueError):
    """A source is missing, broken or lacks what was requested; the message says how to correct it."""


def one_line(error: BaseException) -> str:
    """Return the message of an error in one line of at most 200 characters."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]}…"
