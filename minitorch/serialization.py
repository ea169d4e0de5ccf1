"""``save`` and ``load``: tensors and what holds them, as safetensors and JSON, never pickle.

A file is an ordinary safetensors file, and loads in any program that reads these. The tensors
lie in it under readable names (those of a state dict are its keys), and its metadata has three
texts more: ``minitorch``, the version of this format; ``structure``, the saved object in the
JSON of `encoding`; ``crc32``, a checksum of both.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import zlib
from typing import Any

import numpy as np

from minitorch import dtypes
from minitorch.encoding import Decoder, Encoder

VERSION = "1"


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
        path = os.path.realpath(os.fsdecode(f))
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
        source = os.fsdecode(f)
        with open(source, "rb") as file:
            content = file.read()
    return _from_bytes(content, source, map_location)


# -- bytes and files -------------------------------------------------------------------------

def _to_bytes(obj: Any) -> bytes:
    library = _safetensors()
    encoder = Encoder()
    structure = json.dumps(encoder.encode(obj, ()), allow_nan=False, separators=(",", ":"))
    metadata = {"minitorch": VERSION, "structure": structure,
                "crc32": _checksum(structure, encoder.arrays)}
    content: bytes = library.numpy.save(encoder.arrays, metadata)
    return content


def _from_bytes(content: bytes, source: str, map_location: Any) -> Any:
    library = _safetensors()
    try:
        arrays = library.numpy.load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (library.SafetensorError, ValueError) as error:
        raise ValueError(f"cannot load {source}: " + _other_kind(content, error)) from None
    except KeyError as error:
        raise ValueError(f"cannot load {source}: it holds tensors of type {error}, which "
                         "minitorch does not have") from None
    # Older versions of safetensors give memory that must not be written.
    arrays = {name: a if a.flags.writeable else a.copy() for name, a in arrays.items()}
    metadata = header.pop("__metadata__", {})
    decoder = Decoder(arrays, map_location)
    if not metadata.keys() & {"minitorch", "structure", "crc32"}:  # of another program
        for name, array in arrays.items():
            if array.dtype not in dtypes._BY_NUMPY:
                raise ValueError(f"cannot load {source}: its tensor {name!r} is of type "
                                 f"{array.dtype}, which minitorch does not have")
        return {name: decoder.tensor(name, {}) for name in header}
    if metadata.get("minitorch") not in (None, VERSION):
        raise ValueError(f"cannot load {source}: it is of version {metadata['minitorch']} of the "
                         f"format, and this minitorch reads version {VERSION}; or it is damaged")
    structure = metadata.get("structure", "")
    if metadata.get("crc32") != _checksum(structure, arrays):
        raise ValueError(f"cannot load {source}: it is damaged, for its checksum is not that of "
                         "its content; use another copy")
    try:
        return decoder.decode(json.loads(structure))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"cannot load {source}: its structure makes no sense "
                         f"({error!r})") from error


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError("save() and load() need the package safetensors: install it alone, or "
                          "as minitorch-xp[save]") from None
    return safetensors


def _other_kind(content: bytes, error: Exception) -> str:
    """What a file is that is not safetensors, as well as its first bytes tell."""
    if not content:
        return "nothing is left to read in it (was it rewound with f.seek(0)?)"
    if content.startswith((b"PK\x03\x04", b"\x80")):
        kind = "zip archive" if content.startswith(b"PK") else "pickle"
        return (f"it looks like a {kind}, as torch.save writes. minitorch never unpickles, for a "
                "pickle can run any code. Where PyTorch is installed, convert it: "
                "safetensors.torch.save_file(torch.load(path), new_path)")
    return f"it is damaged, or not a file that minitorch.save wrote ({error})"


def _checksum(structure: str, arrays: dict[str, Any]) -> str:
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
