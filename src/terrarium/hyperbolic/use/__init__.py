"""Questions that a finished layout answers: neighbours, ancestors, places for new items."""
