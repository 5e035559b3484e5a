"""Questions that finished sense vectors answer."""
