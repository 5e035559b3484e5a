"""Losses, the trainer, and what it logs."""
