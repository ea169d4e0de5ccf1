"""Arrays that note what is done with them: so a step is recorded while it runs.

A ``Noted`` array computes as any array does, and tells the recorder each call that makes numbers:
the function, its arguments and the memory that the result lies in. Views need no note: they see
that memory. What would make the record wrong is refused: asking an array for a number that Python
then decides by, and results whose shape depends on numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch.plan.notes import Note, Recorder, arrays_in, recording, refuse

Array = Any

# What only asks for shapes and dtypes.
STATIC = {np.shape, np.ndim, np.size, np.result_type, np.may_share_memory, np.shares_memory,
          np.can_cast, np.broadcast_shapes, np.iscomplexobj, np.isrealobj, np.min_scalar_type}
# What writes into its first argument.
WRITES = {np.copyto, np.put, np.put_along_axis, np.putmask, np.place, np.fill_diagonal}
WRITING = {"fill", "sort", "partition", "put", "resize", "setfield"}
# Where the shape of the result depends on numbers.
SHAPELESS = {np.unique, np.nonzero, np.flatnonzero, np.argwhere, np.compress, np.extract,
             np.union1d, np.intersect1d, np.setdiff1d, np.trim_zeros, np.ndarray.nonzero,
             np.ndarray.compress}


class Noted(np.ndarray):
    """An array whose uses are noted while a step is recorded; afterwards, as any other."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        if method == "at":
            return note_write(function, inputs[0], inputs, kwargs)
        return note(function, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in WRITES:
            return note_write(function, args[0], args, kwargs)
        return note(function, args, kwargs)

    def __setitem__(self, key: Any, value: Any) -> None:
        note_write(_set, self, (self, key, value), {})

    def __getitem__(self, key: Any) -> Any:
        return note(_get, (self, key), {})

    def __bool__(self) -> bool:
        return bool(looked_at(self, "its truth value"))

    def __float__(self) -> float:
        return float(looked_at(self, "its number"))

    def __int__(self) -> int:
        return int(looked_at(self, "its number"))

    def __index__(self) -> int:
        return looked_at(self, "its number").__index__()

    def item(self, *args: Any) -> Any:
        return looked_at(self, "its number").item(*args)

    def tolist(self) -> Any:
        return looked_at(self, "its numbers").tolist()

    def __array_finalize__(self, other: Any) -> None:
        pass

    def __reduce_ex__(self, protocol: Any) -> Any:
        return plain(self).__reduce_ex__(protocol)

    def __deepcopy__(self, memo: Any) -> Any:
        return plain(self).copy()


def _method(name: str) -> Callable[..., Any]:
    original = getattr(np.ndarray, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if name in WRITING:
            return note_write(original, self, (self, *args), kwargs)
        return note(original, (self, *args), kwargs)
    method.__name__ = name
    return method


for _name in dir(np.ndarray):
    if (not _name.startswith("_") and _name not in ("item", "tolist")
            and callable(getattr(np.ndarray, _name))):
        setattr(Noted, _name, _method(_name))


def _set(x: Array, key: Any, value: Any) -> None:
    x[key] = value


def _get(x: Array, key: Any) -> Array:
    out = x[key]
    if isinstance(out, np.generic):  # a view even of a single element
        out = x[(*key, ...) if isinstance(key, tuple) else (key, ...)]
    return out


def plain(x: Any) -> Any:
    """``x`` with every Noted array in it as an ordinary one over the same memory."""
    if isinstance(x, Noted):
        return np.ndarray.view(x, np.ndarray)
    if type(x) in (tuple, list):
        return type(x)([plain(v) for v in x])
    if type(x) is dict:
        return {k: plain(v) for k, v in x.items()}
    return x


def note(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """Compute, and note the call if it makes new numbers."""
    bare, named = plain(args), plain(kwargs)
    result = function(*bare, **named)
    recorder = recording()
    if recorder is None or function in STATIC:
        return result
    if named.get("out") is not None:  # the result lies in memory that is there
        outs = named["out"] if isinstance(named["out"], tuple) else (named["out"],)
        recorder.add(Note(function, bare, named, writes=list(outs)))
        given = kwargs["out"]
        return given[0] if isinstance(given, tuple) and len(given) == 1 else given
    if isinstance(result, (tuple, list)):
        return type(result)([adopted(recorder, function, bare, named, r, i)
                             for i, r in enumerate(result)])
    return adopted(recorder, function, bare, named, result)


def adopted(recorder: Recorder, function: Any, args: Any, kwargs: Any, result: Any,
            i: int | None = None) -> Any:
    """A result as a Noted array; noted, unless it is a view of an argument."""
    if isinstance(result, np.generic):
        result = np.asarray(result)
    if not isinstance(result, np.ndarray):
        if isinstance(result, (bool, int, float)) and any(
                isinstance(a, np.ndarray) and a.ndim for a in arrays_in(args)):
            refuse(f"{getattr(function, '__name__', function)}() gives Python a number of a tensor")
        return result
    if any(np.may_share_memory(result, a) for a in arrays_in((args, kwargs))):
        return result.view(Noted)
    masks = function is _get and any(a.dtype == bool for a in arrays_in(args[1]))
    if function in SHAPELESS or masks or (function is np.where and len(args) == 1):
        name = "indexing by a mask" if masks else f"{function.__name__}()"
        refuse(f"{name} has a result whose shape depends on numbers")
        return result
    out = owned(recorder, result)
    if function in FILLED:
        value = FILLED[function] if function not in (np.full, np.full_like) else args[1]
        if value is not None:
            recorder.add(Note(np.copyto, (value,), {"casting": "unsafe"}, plain(out)))
    elif function is np.ndarray.astype:
        recorder.add(Note(np.copyto, (args[0],), {"casting": "unsafe"}, plain(out)))
    elif function in (np.ndarray.copy, np.copy):
        recorder.add(Note(np.copyto, (args[0],), {}, plain(out)))
    elif i is not None:
        recorder.add(Note(_part(function, i), args, kwargs, plain(out), copies=True))
    else:
        recorder.add(Note(function, args, kwargs, plain(out), copies=not takes_out(function)))
    return out


def owned(recorder: Recorder, result: Array) -> Array:
    """A result in memory that the plan may place where it likes."""
    out = np.ndarray.copy(result.view(Noted), "K")
    recorder.made[id(out)] = out
    return out


def _part(function: Callable[..., Any], i: int) -> Callable[..., Any]:
    def part(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)[i]
    part.__name__ = f"{getattr(function, '__name__', 'function')}_{i}"
    return part


# What makes an array of one number, or of none in particular.
FILLED: dict[Any, Any] = {np.zeros: 0, np.zeros_like: 0, np.ones: 1, np.ones_like: 1,
                          np.empty: None, np.empty_like: None, np.full: 0, np.full_like: 0}
OUT = {np.concatenate, np.stack, np.take, np.clip, np.einsum, np.dot, np.cumsum, np.argmax,
       np.argmin, np.round, np.cumprod}


def takes_out(function: Any) -> bool:
    owner = getattr(function, "__self__", None)
    return isinstance(function, np.ufunc) or isinstance(owner, np.ufunc) or function in OUT


def drawn(draw: Callable[..., Any], args: Any, kwargs: dict[str, Any], result: Any) -> Any:
    """What a generator drew; drawn anew in every run."""
    recorder = recording()
    if not isinstance(result, np.ndarray):
        refuse(f"{draw.__name__}() gives Python a random number")
    if recorder is None or recorder.refused:
        return result
    out = owned(recorder, result)
    recorder.add(Note(draw, plain(args), plain(kwargs), plain(out), copies=True))
    return out


def note_write(function: Callable[..., Any], x: Any, args: Any, kwargs: dict[str, Any]) -> None:
    """Compute, and note a call that writes into ``x``."""
    bare, named = plain(args), plain(kwargs)
    function(*bare, **named)
    recorder = recording()
    if recorder is not None:
        recorder.add(Note(function, bare, named, writes=[plain(x)]))


def looked_at(x: Array, what: str) -> Array:
    if recording() is not None:
        refuse(f"the step asks a tensor for {what}, and may go on by it")
    return plain(x)
