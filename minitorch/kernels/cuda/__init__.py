"""Kernels for NVIDIA GPUs: texts of CUDA C, generated from the rules or written by hand.

Everything but ``launch.py`` is checked without a GPU: every text is compiled for GPUs by NVRTC, and
compiled by a C++ compiler and run on host memory (``tests/emulated.py``). ``launch.py``, which
calls CuPy, only a GPU can check.
"""
