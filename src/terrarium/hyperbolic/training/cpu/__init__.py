"""Training on the CPU: the compiled kernel and its trainer."""
