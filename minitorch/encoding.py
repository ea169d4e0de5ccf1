"""Objects as JSON and named arrays, and back: the inside of the files that ``save`` writes.

None, bools, strings, ints, finite floats and lists stand for themselves. Everything else is a
JSON object that names its type: ``{"tuple": [1, 2]}``, ``{"tensor": "fc.weight"}``,
``{"dict": [[key, value], ...]}``, which keeps the order and lets keys be ints. Decoding builds
these types and nothing else, so a file from a stranger cannot run code.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np

from minitorch import backend, dtypes
from minitorch.engine import wrap
from minitorch.nn.parameter import Parameter
from minitorch.tensor import Size, Tensor

MAPPINGS = {"dict": dict, "OrderedDict": OrderedDict, "Counter": Counter}
NUMERIC = "?bhilqBHILQefd"  # NumPy's letters for what safetensors stores


class Encoder:
    """Turns an object into what JSON can hold, and collects its arrays under names."""

    def __init__(self) -> None:
        self.arrays: dict[str, Any] = {}
        self.names: dict[Any, str] = {}  # of memory already written
        self.open: set[int] = set()  # the containers we are inside of

    def encode(self, x: Any, path: tuple[Any, ...]) -> Any:
        """``path``: the keys that lead to ``x``."""
        kind = type(x)
        if x is None or kind in (bool, int, str):
            return x
        if kind is float:
            return x if math.isfinite(x) else {"float": str(x)}
        if isinstance(x, Tensor):
            return self.tensor(x, path)
        if kind is np.ndarray:
            return {"ndarray": self.array(x, path, "cpu")}
        if isinstance(x, np.generic) and x.dtype.char in NUMERIC:
            return {"scalar": self.encode(x.item(), path), "dtype": x.dtype.name}
        if kind is dtypes.dtype:
            return {"dtype": x.name}
        if kind is backend.device:
            return {"device": str(x)}
        if kind is Size:
            return {"Size": list(x)}
        if kind in (list, tuple) or kind in MAPPINGS.values():
            return self.container(x, path)
        raise TypeError(f"save() cannot represent {_shown(path)} of type {_name(kind)}: "
                        + _advice(x))

    def container(self, x: Any, path: tuple[Any, ...]) -> Any:
        if id(x) in self.open:
            raise ValueError(f"save() cannot represent {_shown(path)}: this {type(x).__name__} "
                             "contains itself")
        self.open.add(id(x))
        if isinstance(x, (list, tuple)):
            items = [self.encode(each, (*path, i)) for i, each in enumerate(x)]
            node: Any = items if isinstance(x, list) else {"tuple": items}
        else:
            node = {type(x).__name__: [[self.key(k, path), self.encode(v, (*path, k))]
                                       for k, v in x.items()]}
            if hasattr(x, "_metadata"):  # a module's state dict has the versions of its layers
                node["_metadata"] = self.encode(x._metadata, (*path, "_metadata"))
        self.open.remove(id(x))
        return node

    def key(self, key: Any, path: tuple[Any, ...]) -> Any:
        if type(key) is tuple:
            return {"tuple": [self.key(each, path) for each in key]}
        if key is None or isinstance(key, (bool, int, float, str, np.generic)):
            return self.encode(key, path)
        raise TypeError(f"save() cannot represent a key of {_shown(path)} of type "
                        f"{_name(type(key))}: keys may be strings, numbers, None and tuples")

    def tensor(self, x: Tensor, path: tuple[Any, ...]) -> Any:
        name = self.array(x.array, path, str(x.device))
        node: dict[str, Any] = {"parameter" if isinstance(x, Parameter) else "tensor": name}
        if x.requires_grad:
            node["requires_grad"] = True
        if x.is_cuda:
            node["device"] = str(x.device)
        return node

    def array(self, array: Any, path: tuple[Any, ...], device: str) -> str:
        """The name under which the array is stored."""
        if array.dtype.char not in NUMERIC:
            raise TypeError(f"save() cannot represent {_shown(path)}, an array of {array.dtype}: "
                            "only booleans, integers and floats of up to 64 bits")
        start = (array.__array_interface__["data"][0] if isinstance(array, np.ndarray)
                 else array.data.ptr)
        memory = (device, start, array.shape, array.strides, array.dtype.str)
        if memory in self.names:
            return self.names[memory]
        wanted = ".".join(map(str, path)).encode("utf-8", "backslashreplace").decode() or "tensor"
        name, n = wanted, 2
        while name in self.arrays or name == "__metadata__":
            name, n = f"{wanted}#{n}", n + 1
        self.names[memory] = name
        self.arrays[name] = np.asarray(backend.move(array, backend.CPU),
                                       array.dtype.newbyteorder("<"), order="C")
        return name


class Decoder:
    """Builds the object again, of the JSON and the arrays."""

    def __init__(self, arrays: dict[str, Any], map_location: Any) -> None:
        self.arrays = arrays
        self.map_location = map_location
        self.made: dict[Any, Tensor] = {}

    def decode(self, node: Any) -> Any:
        match node:
            case list():
                return list(map(self.decode, node))
            case {"tensor": name}:
                return self.tensor(name, node).requires_grad_(node.get("requires_grad", False))
            case {"parameter": name}:
                return Parameter(self.tensor(name, node), node.get("requires_grad", False))
            case {"ndarray": name}:
                return self.arrays[name]
            case {"scalar": value, "dtype": name}:
                return np.dtype(name).type(self.decode(value))
            case {"float": text}:
                return float(text)
            case {"tuple": items}:
                return tuple(map(self.decode, items))
            case {"dtype": name}:
                return dtypes.of_numpy(name)
            case {"device": name}:
                return backend.device(name)
            case {"Size": sizes}:
                return Size(sizes)
            case {"dict": items} | {"OrderedDict": items} | {"Counter": items}:
                pairs = [(self.decode(key), self.decode(value)) for key, value in items]
                mapping: Any = MAPPINGS[next(iter(node))](dict(pairs))
                if "_metadata" in node:
                    mapping._metadata = self.decode(node["_metadata"])
                return mapping
            case dict():
                raise ValueError(f"unknown type {next(iter(node), '')!r}")
        return node

    def tensor(self, name: str, node: Mapping[str, Any]) -> Tensor:
        """A new Tensor on the stored array; all on one array also share the count of writes."""
        saved = node.get("device", "cpu")
        if (name, saved) not in self.made:
            self.made[name, saved] = self.place(wrap(self.arrays[name]), saved)
        return self.made[name, saved].detach()

    def place(self, x: Tensor, saved: str) -> Tensor:
        to = self.map_location
        if isinstance(to, Mapping):
            to = to.get(saved)
        elif callable(to):
            placed = to(x, saved)
            if placed is not None:
                return placed
            to = None
        try:
            return wrap(backend.move(x.array, backend.device(saved if to is None else to)))
        except RuntimeError as error:
            raise RuntimeError(f"{error}. The tensors were saved on {saved!r}: to load them here, "
                               "say map_location='cpu'") from None


def _shown(path: tuple[Any, ...]) -> str:
    return "obj" + "".join(f"[{key!r}]" for key in path)


def _name(kind: type) -> str:
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def _advice(x: Any) -> str:
    if hasattr(x, "state_dict"):
        return "save its state_dict() instead, and load it with load_state_dict()"
    for container in (dict, list, tuple):
        if isinstance(x, container):
            return f"make it a plain {container.__name__} first"
    if hasattr(x, "detach") and hasattr(x, "numpy"):
        return "make it a minitorch tensor first, as in minitorch.from_numpy(x.numpy())"
    return ("it takes tensors, arrays, numbers, strings, None, dtypes, devices, and dicts, lists "
            "and tuples of them")
