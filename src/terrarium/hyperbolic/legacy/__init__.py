"""Training as the reference recipes v0, v1 and v2 do it: torch's Adam over all rows, which may leave the ball."""
