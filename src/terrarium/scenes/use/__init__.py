"""Questions that embedded scenes answer."""
