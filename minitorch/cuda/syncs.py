"""Finding the places where a program waits for the GPU without saying so."""

from __future__ import annotations

from minitorch import crossing
from minitorch.cuda.devices import cupy_for

MODES = ("default", "warn", "error")


def set_sync_debug_mode(debug_mode: int | str) -> None:
    """What a hidden wait for the GPU does: "default" (0) nothing, "warn" (1), or "error" (2).

    Hidden are ``x.item()``, ``float(x)``, ``if x:``, ``x.cpu()``, printing, and operators whose
    result's shape depends on numbers, such as ``x[mask]``: everything that needs to know a number.
    The warning and the error name the line of the program. ``cuda.synchronize()`` is not hidden.

    Raises RuntimeError for another mode, AssertionError without a GPU.
    """
    cupy_for("set_sync_debug_mode()")
    mode = MODES[debug_mode] if debug_mode in (0, 1, 2) else debug_mode
    if mode not in MODES:
        raise RuntimeError("invalid value of debug_mode, expected one of `default`, `warn`, "
                           "`error`")
    crossing.sync_mode = str(mode)


def get_sync_debug_mode() -> int:
    """0 for "default", 1 for "warn", 2 for "error"."""
    cupy_for("get_sync_debug_mode()")
    return MODES.index(crossing.sync_mode)


