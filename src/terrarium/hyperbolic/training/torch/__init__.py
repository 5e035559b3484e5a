"""The same training in PyTorch, on any device."""
