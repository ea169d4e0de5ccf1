"""The programs. Each is written once, as ``def program(torch, ...)``, and knows no engine.

`torch` is PyTorch or minitorch; what a program prints is what is compared. They follow the
programs of a published PyTorch course in their networks, settings and seeds (777 throughout).
The first line of a docstring says what is trained; the default of `epochs` is the course's.
"""

from collections.abc import Callable
from typing import Any

from reference.programs import by_hand, labs, mnist, optimizers, rbm, xor

PROGRAMS: dict[str, Callable[..., Any]] = {
    "xor": xor.program,
    "mnist-softmax": mnist.softmax,
    "mnist-nn": mnist.nn,
    "mnist-xavier": mnist.xavier,
    "mnist-deep": mnist.deep,
    "mnist-dropout": mnist.dropout,
    "mnist-batchnorm": mnist.batchnorm,
    "mnist-selu": mnist.selu,
    "backprop-by-hand": by_hand.program,
    "optimizers": optimizers.program,
    "rbm": rbm.program,
    **labs.PROGRAMS,
}
