"""The text inside a PNG, read without decoding a pixel."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from adstudio.errors import ImageError

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_TEXT_BYTES = 1 << 20
_MAX_TEXTS = 256


def read_metadata(path: Path) -> dict[str, str]:
    """The text inside a PNG, by key; empty for other pictures and for files without any.

    Texts above 1 MB, compressed or not, are left out, as is what is damaged.
    Raises ImageError when the file cannot be read.
    """
    texts: dict[str, str] = {}
    try:
        with path.open("rb") as stream:
            for kind, content in _text_chunks(stream):
                key, text = _text_of(kind, content)
                if key and text is not None and len(texts) < _MAX_TEXTS:
                    texts.setdefault(key, text)
    except FileNotFoundError as error:
        raise ImageError(f"{path}: there is no such file") from error
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror or error})") from error
    return texts


def _text_chunks(stream: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """(kind, content) of the text chunks whose checksum is right, up to the file's end or its first damage."""
    if stream.read(8) != PNG_SIGNATURE:
        return
    while len(head := stream.read(8)) == 8:
        length, kind = int.from_bytes(head[:4]), head[4:]
        if not kind.isalpha() or kind == b"IEND":
            return
        if kind not in (b"tEXt", b"zTXt", b"iTXt") or length > _MAX_TEXT_BYTES:
            stream.seek(length + 4, 1)
            continue
        content, checksum = stream.read(length), stream.read(4)
        if len(checksum) < 4:
            return
        if zlib.crc32(kind + content) == int.from_bytes(checksum):
            yield kind, content


def _text_of(kind: bytes, content: bytes) -> tuple[str, str | None]:
    """(key, text or None where it is damaged or too large)."""
    name, _, rest = content.partition(b"\0")
    key = name.decode("latin-1")
    if kind == b"tEXt":
        return key, rest.decode("latin-1")
    if kind == b"zTXt":
        packed = _inflated(rest[1:])
        return key, None if packed is None else packed.decode("latin-1")
    flags, fields = rest[:2], rest[2:].split(b"\0", 2)
    if len(flags) < 2 or len(fields) < 3:
        return key, None
    text = _inflated(fields[2]) if flags[0] else fields[2]
    try:
        return key, None if text is None else text.decode()
    except UnicodeDecodeError:
        return key, None


def _inflated(packed: bytes) -> bytes | None:
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(packed, _MAX_TEXT_BYTES)
    except zlib.error:
        return None
    return text if stream.eof else None
