"""The one training loop all families share: epochs, stopping, checkpoints, history, seeds, devices."""
