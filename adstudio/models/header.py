"""The header of a safetensors file, read without trusting a word of it.

The format: eight bytes with the length of a JSON text, that text, then the tensors' bytes. Only the JSON is read here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from adstudio.errors import ModelError, StorageError

MAX_HEADER_BYTES = 32 << 20
MAX_TENSORS = 50_000
MAX_NAME_LENGTH = 512
MAX_DIMENSIONS = 8

# Bytes of one element; what is not here cannot be a weight of these models.
DTYPE_BYTES: Mapping[str, int] = MappingProxyType(
    {
        "F64": 8,
        "F32": 4,
        "F16": 2,
        "BF16": 2,
        "F8_E4M3": 1,
        "F8_E5M2": 1,
        "I64": 8,
        "I32": 4,
        "I16": 2,
        "I8": 1,
        "U8": 1,
        "BOOL": 1,
    }
)
_SAFETENSORS = "get it as .safetensors from where it was published"
# How other kinds of file begin, with what they are.
_OTHER_KINDS = (
    (b"PK\x03\x04", f"is a zip archive, most likely a pickle checkpoint under another name; {_SAFETENSORS}"),
    (b"\x80\x02", f"is a pickle checkpoint under another name and could run any program when opened; {_SAFETENSORS}"),
    (b"\x80\x03", f"is a pickle checkpoint under another name and could run any program when opened; {_SAFETENSORS}"),
    (b"\x80\x04", f"is a pickle checkpoint under another name and could run any program when opened; {_SAFETENSORS}"),
    (b"\x80\x05", f"is a pickle checkpoint under another name and could run any program when opened; {_SAFETENSORS}"),
    (b"GGUF", f"is a GGUF file with quantised weights, which are not read here; {_SAFETENSORS}"),
    (b"version https://git-lfs", "is only a Git LFS pointer to the model; fetch the file itself with git lfs pull"),
    (b"<!DOCTYPE", "is a web page and no model; the download went to a page that asks something first"),
    (b"<html", "is a web page and no model; the download went to a page that asks something first"),
)


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Where one tensor lies. start, end: bytes from the beginning of the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Header:
    """A checked header: every tensor lies inside the file, none over another, each with the bytes its shape needs."""

    path: Path
    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str]
    size_bytes: int


def read_header(path: Path) -> Header:
    """Read and check the header of a safetensors file.

    Raises ModelError where the file is damaged or another kind of file, StorageError where it cannot be read.
    """
    try:
        _require_plain(path)
        with path.open("rb") as stream:
            size_bytes = stream.seek(0, 2)
            stream.seek(0)
            text = _header_text(path, stream, size_bytes)
    except FileNotFoundError as error:
        raise StorageError(f"{path}: the model file is not there any more; is its drive plugged in?") from error
    except OSError as error:
        raise StorageError(f"{path}: the model file cannot be read ({error.strerror or error})") from error
    entries = _entries(path, text)
    metadata = _metadata(path, entries.pop("__metadata__", {}))
    if len(entries) > MAX_TENSORS:
        raise _damaged(path, f"its header lists {len(entries)} tensors")
    data_start = 8 + len(text)
    tensors = {name: _tensor(path, name, entry, data_start) for name, entry in entries.items()}
    _check_places(path, tensors, data_start, size_bytes)
    return Header(path, MappingProxyType(tensors), MappingProxyType(metadata), size_bytes)


def _require_plain(path: Path) -> None:
    """Raise ModelError for a pipe or device, which could be waited for or read without end."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ModelError(f"{path}: is a pipe or a device and no file of a model")


def _header_text(path: Path, stream: BinaryIO, size_bytes: int) -> bytes:
    beginning = stream.read(32)
    for mark, what in _OTHER_KINDS:
        if beginning.startswith(mark):
            raise ModelError(f"{path}: {what}")
    if size_bytes < 10:
        raise ModelError(f"{path}: is empty or nearly so, and no model; download it again")
    length = int.from_bytes(beginning[:8], "little")
    if beginning[8:9] != b"{":
        raise ModelError(f"{path}: is not a safetensors file; {_SAFETENSORS}")
    if length > MAX_HEADER_BYTES:
        raise _damaged(path, f"its header claims to be {length} bytes long")
    if length > size_bytes - 8:
        raise ModelError(f"{path}: ends in the middle of its header; download it again")
    stream.seek(8)
    return stream.read(length)


def _entries(path: Path, text: bytes) -> dict[str, Any]:
    try:
        entries = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "its header is not readable") from error
    if not isinstance(entries, dict):
        raise _damaged(path, "its header is not a list of tensors")
    return entries


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _metadata(path: Path, entry: Any) -> dict[str, str]:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise _damaged(path, "its metadata are not plain text")
    return entry


def _tensor(path: Path, name: str, entry: Any, data_start: int) -> TensorInfo:
    shown = name[:80]
    if not name or len(name) > MAX_NAME_LENGTH:
        raise _damaged(path, f"a tensor is called {shown!r}")
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _damaged(path, f"the tensor {shown} is not described as it should be")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPE_BYTES:
        raise ModelError(
            f"{path}: the tensor {shown} is of the number type {str(dtype)[:20]}, which is not read here; "
            "get the model with 16- or 32-bit weights"
        )
    if not _is_counts(shape) or len(shape) > MAX_DIMENSIONS:
        raise _damaged(path, f"the tensor {shown} has the shape {str(shape)[:60]}")
    if not _is_counts(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise _damaged(path, f"the tensor {shown} lies at {str(offsets)[:60]}")
    expected_bytes = DTYPE_BYTES[dtype]
    for side in shape:
        expected_bytes *= side
    if offsets[1] - offsets[0] != expected_bytes:
        raise _damaged(
            path, f"the tensor {shown} has {offsets[1] - offsets[0]} bytes where its shape needs {expected_bytes}"
        )
    return TensorInfo(dtype, tuple(shape), data_start + offsets[0], data_start + offsets[1])


def _is_counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(one) is int and 0 <= one < 1 << 48 for one in value)


def _check_places(path: Path, tensors: Mapping[str, TensorInfo], data_start: int, size_bytes: int) -> None:
    reached = data_start
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].end)):
        if tensor.start < reached:
            raise _damaged(path, f"the tensor {name[:80]} lies over another one")
        if tensor.start > reached:
            raise _damaged(path, f"there is a gap before the tensor {name[:80]}")
        reached = tensor.end
    if reached > size_bytes:
        raise ModelError(f"{path}: is cut short, {reached - size_bytes} bytes are missing; download it again")
    if reached < size_bytes:
        raise _damaged(path, f"{size_bytes - reached} bytes at its end belong to no tensor")


def _damaged(path: Path, what: str) -> ModelError:
    return ModelError(f"{path}: is a damaged safetensors file, {what}; download it again")
