"""What is behind the command line: ``python -m minitorch``, or ``minitorch`` once installed."""
