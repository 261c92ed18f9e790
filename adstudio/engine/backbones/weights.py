"""Reading tensors out of safetensors files, one at a time.

They are read into memory of our own rather than mapped: a drive unplugged during a run is then an error in words while
loading and nothing afterwards; with mapped weights it would end the process.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from io import FileIO
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor

from adstudio.errors import ModelError, StorageError
from adstudio.models.header import Header, TensorInfo, read_header

_DTYPES: Mapping[str, torch.dtype] = MappingProxyType(
    {
        "F64": torch.float64,
        "F32": torch.float32,
        "F16": torch.float16,
        "BF16": torch.bfloat16,
        "F8_E4M3": torch.float8_e4m3fn,
        "F8_E5M2": torch.float8_e5m2,
        "I64": torch.int64,
        "I32": torch.int32,
        "I16": torch.int16,
        "I8": torch.int8,
        "U8": torch.uint8,
        "BOOL": torch.bool,
    }
)


_BLOCK_BYTES = 1 << 28  # some systems read no more than 2 GB at once


class TensorReader:
    """The tensors of one set of files, open for reading; made by `open_weights`."""

    def __init__(self, sources: Sequence[tuple[Header, FileIO]]) -> None:
        self._places: dict[str, tuple[Path, FileIO, TensorInfo]] = {}
        self.path = sources[0][0].path
        for header, stream in sources:
            for name, info in header.tensors.items():
                if name in self._places:
                    raise ModelError(f"{header.path}: holds {name}, which an earlier file of the model holds, too")
                self._places[name] = (header.path, stream, info)

    @property
    def names(self) -> tuple[str, ...]:
        """In the order of the files."""
        return tuple(self._places)

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def shape(self, name: str) -> tuple[int, ...]:
        """Of a tensor, from the header."""
        return self._places[name][2].shape

    def path_of(self, name: str) -> Path:
        """The file that a tensor lies in."""
        return self._places[name][0]

    def read(self, name: str, dtype: torch.dtype | None = None, *, rows: tuple[int, int] | None = None) -> Tensor:
        """A tensor on the CPU; one of a floating type is turned into dtype where that is given.

        rows: only these along the first dimension, end excluded.
        Raises StorageError where the file cannot be read to its end any more.
        """
        path, stream, info = self._places[name]
        start, end, shape = info.start, info.end, info.shape
        if rows is not None:
            row_bytes = (end - start) // max(1, shape[0])
            start, end = info.start + rows[0] * row_bytes, info.start + rows[1] * row_bytes
            shape = (rows[1] - rows[0], *shape[1:])
        raw = torch.empty(end - start, dtype=torch.uint8)
        _fill(raw.numpy().data, path, stream, start)
        tensor = raw.view(_DTYPES[info.dtype]).reshape(shape)
        return tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor


def _fill(memory: memoryview, path: Path, stream: FileIO, start: int) -> None:
    try:
        stream.seek(start)
        filled = 0
        while filled < len(memory):
            count = stream.readinto(memory[filled : filled + _BLOCK_BYTES])
            if not count:
                raise StorageError(f"{path}: became shorter while it was read; is something else writing to it?")
            filled += count
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be read any more ({error.strerror or error}); is its drive still plugged in?"
        ) from error


@contextmanager
def open_weights(files: Sequence[Path]) -> Iterator[TensorReader]:
    """Open a set of safetensors files. Raises ModelError where one is damaged, StorageError where one is gone."""
    if sys.byteorder != "little":
        raise ModelError(f"{files[0]}: models are stored little-endian, which this machine does not read")
    with ExitStack() as streams:
        sources = []
        for path in files:
            header = read_header(path)
            try:
                stream = streams.enter_context(path.open("rb", buffering=0))
            except OSError as error:
                raise StorageError(f"{path}: cannot be opened ({error.strerror or error})") from error
            sources.append((header, stream))
        yield TensorReader(sources)
