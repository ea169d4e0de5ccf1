"""Programs written once and run under PyTorch and under minitorch: the same numbers."""
