"""The header of a safetensors file: sound ones are read, anything else is refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adstudio.errors import ModelError, StorageError
from adstudio.models.header import MAX_HEADER_BYTES, read_header

GOOD: dict[str, Any] = {
    "__metadata__": {"format": "pt"},
    "b": {"dtype": "F16", "shape": [2, 3], "data_offsets": [8, 20]},
    "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
    "none": {"dtype": "F32", "shape": [0, 4], "data_offsets": [20, 20]},
}


def write(path: Path, header: Any, body: bytes = bytes(20), length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + body)
    return path


def changed(name: str, **fields: Any) -> dict[str, Any]:
    return {**GOOD, name: {**GOOD[name], **fields}}


def test_a_sound_header_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", GOOD)
    header = read_header(path)
    assert header.metadata == {"format": "pt"}
    assert header.tensors["b"].shape == (2, 3)
    assert header.tensors["b"].end - header.tensors["b"].start == 12
    assert header.size_bytes == path.stat().st_size == header.tensors["b"].end


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (changed("b", shape=[2, 4]), "has 12 bytes where its shape needs 16"),
        (changed("b", shape=[2, -3]), "has the shape"),
        (changed("b", shape=[True, 6]), "has the shape"),
        (changed("b", shape=[1] * 20), "has the shape"),
        (changed("b", shape=[1 << 47, 1 << 47]), "where its shape needs"),
        (changed("b", data_offsets=[4, 16]), "lies over another one"),
        (changed("b", data_offsets=[20, 8]), "lies at"),
        (changed("b", data_offsets=[-4, 8]), "lies at"),
        (changed("b", data_offsets=[8]), "lies at"),
        (changed("b", dtype="F4"), "of the number type F4"),
        (changed("b", dtype=["F16"]), "of the number type"),
        ({**GOOD, "b": {"dtype": "F16"}}, "not described"),
        ({**GOOD, "b": 3}, "not described"),
        ({**GOOD, "x" * 600: GOOD["a"]}, "a tensor is called"),
        ({**GOOD, "__metadata__": {"a": 3}}, "metadata"),
        ({name: entry for name, entry in GOOD.items() if name != "a"}, "there is a gap"),
        (b"{" + b"[" * 100_000, "header is not readable"),
        (b'{"a": 1, "a": 2}', "header is not readable"),
        (b"{}" + b"\xff", "header is not readable"),
    ],
)
def test_a_damaged_header_is_refused_by_file_and_reason(tmp_path: Path, header: Any, words: str) -> None:
    path = write(tmp_path / "model.safetensors", header)
    with pytest.raises(ModelError) as refused:
        read_header(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert words in str(refused.value)


def test_lengths_that_lie_are_refused_without_reading_them(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with pytest.raises(ModelError, match="ends in the middle of its header"):
        read_header(write(path, GOOD, length=1 << 20))
    with pytest.raises(ModelError, match="claims to be"):
        read_header(write(path, GOOD, length=MAX_HEADER_BYTES + 1))
    with pytest.raises(ModelError, match="cut short, 5 bytes are missing"):
        read_header(write(path, GOOD, body=bytes(15)))
    with pytest.raises(ModelError, match="3 bytes at its end belong to no tensor"):
        read_header(write(path, GOOD, body=bytes(23)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"GGUF\x03\0\0\0" + bytes(40), "GGUF"),
        (b"PK\x03\x04" + bytes(40), "zip archive"),
        (b"\x80\x02}q\0" + bytes(40), "pickle"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (bytes(64), "is not a safetensors file"),
    ],
)
def test_other_kinds_of_file_are_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=words):
        read_header(path)


def test_a_file_that_is_gone_is_a_matter_of_storage(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"none\.safetensors: the model file is not there"):
        read_header(tmp_path / "none.safetensors")


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=200), place=st.integers(0, 200), sound=st.booleans())
def test_no_bytes_whatever_make_it_fail_otherwise(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, place: int, *, sound: bool
) -> None:
    path = tmp_path_factory.mktemp("any") / "model.safetensors"
    if sound:
        whole = write(path, GOOD).read_bytes()
        content = whole[:place] + content + whole[place + len(content) :]
    path.write_bytes(content)
    try:
        header = read_header(path)
    except ModelError:
        return
    assert all(tensor.end <= header.size_bytes for tensor in header.tensors.values())
