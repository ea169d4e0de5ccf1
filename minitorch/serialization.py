"""``save`` and ``load``: tensors and what holds them, as safetensors and JSON, never pickle.

A file is an ordinary safetensors file. The tensors lie in it under readable names (those of a
state dict are its keys), and its metadata has three texts more: ``minitorch``, the version of
this format; ``structure``, the saved object as JSON; ``crc32``, a checksum of both. In the JSON,
None, bools, strings, ints, finite floats and lists stand for themselves, and everything else is
an object that names its type: ``{"tuple": [1, 2]}``, ``{"tensor": "fc.weight"}``,
``{"dict": [[key, value], ...]}``, which keeps the order and lets keys be ints.
Loading builds these types and nothing else, so a file from a stranger cannot run code.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
import shutil
import zlib
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np

from minitorch import backend, dtypes
from minitorch.engine import wrap
from minitorch.nn.parameter import Parameter
from minitorch.tensor import Size, Tensor

VERSION = "1"
MAPPINGS = {"dict": dict, "OrderedDict": OrderedDict, "Counter": Counter}
NUMERIC = "?bhilqBHILQefd"  # NumPy's letters for what safetensors stores
Arrays = dict[str, Any]


def save(obj: Any, f: Any) -> None:
    """Write ``obj`` to ``f``, a path or a file open for binary writing; `load` reads it back.

    ``obj`` may be a Tensor, Parameter, NumPy array or number, None, bool, int, float, str, dtype,
    device or Size, or a dict (also OrderedDict, Counter), list or tuple of these, nested to any
    depth: a state dict of a module or an optimizer, or a checkpoint with several.

    Kept are values, dtypes, ``requires_grad``, the order of dicts and the kind of their keys;
    lost are graphs and ``.grad``. Tensors that cover the same memory in the same way (tied
    weights) are written once and share memory after loading; tensors that overlap otherwise
    come back apart. A path appears all at once, or keeps its old content if anything fails.

    Raises TypeError for what cannot be represented, such as a whole module, ValueError for a
    container that holds itself, RuntimeError if the folder does not exist; nothing is written
    then. Needs safetensors: install minitorch-xp[save].

    >>> import io, minitorch as torch
    >>> f = io.BytesIO()
    >>> torch.save({"epoch": 3, "weights": [torch.tensor([1.0, 2.0])]}, f)
    >>> _ = f.seek(0)
    >>> torch.load(f)
    {'epoch': 3, 'weights': [tensor([1., 2.])]}
    """
    to_file = hasattr(f, "write")
    if not to_file:
        path = os.path.realpath(os.fspath(f))
        if not os.path.isdir(os.path.dirname(path)):
            raise RuntimeError(f"Parent directory {os.path.dirname(path)} does not exist.")
    content = _to_bytes(obj)
    if to_file:
        f.write(content)
    else:
        _replace(path, content)


def load(f: Any, map_location: Any = None, *, weights_only: bool = True) -> Any:
    """Read what `save` wrote to ``f``, a path or a file open for binary reading.

    ``map_location`` says where the tensors go: a device, a dict from saved devices to others, or
    a function of (tensor, saved device) that returns a tensor, or None to leave it there. Without
    it they return to the device they were saved from. ``weights_only`` changes nothing: no file
    is ever executed. A safetensors file of another program loads as a dict of its tensors.

    Raises ValueError for a file that is damaged or of another format (such as torch.save's), and
    RuntimeError if a device is missing. Needs safetensors: install minitorch-xp[save].
    """
    if hasattr(f, "read"):
        content, source = f.read(), f"the file {getattr(f, 'name', type(f).__name__)}"
        if not isinstance(content, bytes):
            raise TypeError(f"load() needs a file open for binary reading ('rb'): {source} gives "
                            f"{type(content).__name__}")
    else:
        source = os.fspath(f)
        with open(source, "rb") as file:
            content = file.read()
    return _from_bytes(content, str(source), map_location)


# -- bytes and files -------------------------------------------------------------------------

def _to_bytes(obj: Any) -> bytes:
    library = _safetensors()
    encoder = _Encoder()
    structure = json.dumps(encoder.encode(obj, ()), allow_nan=False, separators=(",", ":"))
    metadata = {"minitorch": VERSION, "structure": structure,
                "crc32": _checksum(structure, encoder.arrays)}
    content: bytes = library.numpy.save(encoder.arrays, metadata)
    return content


def _from_bytes(content: bytes, source: str, map_location: Any) -> Any:
    library = _safetensors()
    _check_kind(content, source)
    try:
        arrays = library.numpy.load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (library.SafetensorError, ValueError) as error:
        raise ValueError(f"cannot load {source}: it is damaged, or not a file that minitorch.save "
                         f"wrote ({error})") from None
    except KeyError as error:
        raise ValueError(f"cannot load {source}: it holds tensors of type {error}, which "
                         "minitorch does not have") from None
    metadata = header.pop("__metadata__", {})
    decoder = _Decoder(arrays, map_location)
    if not metadata.keys() & {"minitorch", "structure", "crc32"}:  # another program's
        for name, array in arrays.items():
            if array.dtype not in dtypes._BY_NUMPY:
                raise ValueError(f"cannot load {source}: its tensor {name!r} is of type "
                                 f"{array.dtype}, which minitorch does not have")
        return {name: decoder.tensor(name, {}) for name in header}
    if metadata.get("minitorch", VERSION) != VERSION:
        raise ValueError(f"cannot load {source}: it has version {metadata['minitorch']} of the "
                         f"format, and this minitorch reads version {VERSION}")
    structure = metadata.get("structure", "")
    if metadata.get("crc32") != _checksum(structure, arrays):
        raise ValueError(f"cannot load {source}: it is damaged, for its checksum is not that of "
                         "its content; use another copy")
    try:
        return decoder.decode(json.loads(structure))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"cannot load {source}: its structure makes no sense ({error!r})"
                         ) from error


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError("save() and load() need the package safetensors: install it alone, or "
                          "as minitorch-xp[save]") from None
    return safetensors


def _check_kind(content: bytes, source: str) -> None:
    """Refuse by name the files that are most often taken for ours."""
    if not content:
        raise ValueError(f"cannot load {source}: nothing is left to read in it (was it rewound "
                         "with f.seek(0)?)")
    if content[:1] == b"\x80" and content[1:2] < b"\x08" or content[:4] == b"PK\x03\x04":
        kind = "zip archive" if content[:2] == b"PK" else "pickle"
        raise ValueError(
            f"cannot load {source}: it is a {kind}, as torch.save writes. minitorch never unpickles: "
            "a pickle can run any code. Convert it where PyTorch is installed: "
            "safetensors.torch.save_file(torch.load(path), new_path); minitorch loads that")


def _checksum(structure: str, arrays: Arrays) -> str:
    crc = zlib.crc32(structure.encode())
    for name, array in sorted(arrays.items()):
        crc = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), crc)
        crc = zlib.crc32(array.reshape(-1).view(np.uint8), crc)
    return f"{crc:08x}"


def _replace(path: str, content: bytes) -> None:
    """Give the file at ``path`` a new content at once: whatever happens, it is the old or the new.

    The content goes to a temporary file in the same folder, and to the disk (fsync), before that
    file takes the name; a last fsync makes the new name durable.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # a device, a pipe: has no old content
        with open(path, "wb") as file:
            file.write(content)
        return
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, f".minitorch-{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(path):
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# -- objects and JSON ------------------------------------------------------------------------

class _Encoder:
    """Turns an object into JSON, and collects its arrays."""

    def __init__(self) -> None:
        self.arrays: Arrays = {}
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
        if isinstance(key, (Tensor, backend.device, dtypes.dtype)):
            raise TypeError(f"save() cannot represent a key of {_shown(path)} of type "
                            f"{_name(type(key))}: keys may be strings, numbers, None and tuples")
        return self.encode(key, (*path, key))

    def tensor(self, x: Tensor, path: tuple[Any, ...]) -> Any:
        name = self.array(x.array, path, str(x.device))
        node = {"parameter" if isinstance(x, Parameter) else "tensor": name}
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
        if array.size and memory in self.names:
            return self.names[memory]
        wanted = ".".join(map(str, path)).encode("utf-8", "backslashreplace").decode() or "tensor"
        name, n = wanted, 2
        while name in self.arrays or name == "__metadata__":
            name, n = f"{wanted}#{n}", n + 1
        self.names[memory] = name
        self.arrays[name] = np.asarray(backend.move(array, backend.CPU),
                                       array.dtype.newbyteorder("<"), order="C")
        return name


class _Decoder:
    """Builds the object again, of JSON and arrays."""

    def __init__(self, arrays: Arrays, map_location: Any) -> None:
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
                return placed  # type: ignore[no-any-return]
            to = None
        try:
            return wrap(backend.move(x.array, backend.device(saved if to is None else to)))  # type: ignore[no-any-return]
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
