"""Faster equals of what the rules and updates compute; they define nothing themselves.

A kernel is spelled from the one definition that there is, by ``minitorch.symbols``, and compiled by
an optional library. Without the library, or where a kernel does not fit (a GPU's array, gaps in
memory, half precision), what it would replace runs as it is.
"""
