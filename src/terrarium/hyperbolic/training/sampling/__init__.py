"""Which pairs an epoch trains, and where negatives are drawn."""
