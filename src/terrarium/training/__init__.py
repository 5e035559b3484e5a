"""The training loop that all families share: epochs, stopping, checkpoints, history, seeds, devices."""
