"""Where the vocabulary of a text encoder is on this machine; the network is never asked.

Only prompts need one: the empty prompt is written from ids that are known.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from adstudio.errors import ModelError, StorageError
from adstudio.models.config_check import read_json
from adstudio.models.description import Component
from adstudio.paths import vocabularies_dir

MAX_VOCABULARY_BYTES = 32 << 20
_MAX_REPOSITORIES = 500
# T5 pads the number of its embeddings up; no vocabulary is smaller than them by more.
_T5_SPARE = 128


def has_vocabulary(folder: Path, component: Component) -> bool:
    """Whether a folder holds the vocabulary for a text encoder: of its kind and of its size."""
    is_t5 = component.config["_class_name"] == "T5EncoderModel"
    try:
        changed_ns = max((one.stat().st_mtime_ns for one in folder.iterdir()), default=0)
        size = _size(folder, is_t5, changed_ns)
    except (ModelError, StorageError, OSError):
        return False
    return fits_size(size, component)


def fits_size(words: int, component: Component) -> bool:
    """Whether a vocabulary of so many words can be a text encoder's."""
    wanted: int = component.config["vocab_size"]
    if component.config["_class_name"] == "T5EncoderModel":
        return wanted - _T5_SPARE <= words <= wanted
    return words == wanted


def find_vocabulary(component: Component, folders: Iterable[Path]) -> Path | None:
    """The first place that holds a text encoder's vocabulary: some folders, what was fetched, the hub's cache here."""
    for folder in folders:
        if has_vocabulary(folder, component):
            return folder
    for folder in (*sorted(vocabularies_dir().glob("*")), *_hub_folders()):
        if has_vocabulary(folder, component):
            return folder
    return None


def hub_cache_dir() -> Path:
    """Where the Hugging Face libraries of this user keep what they once downloaded; it need not exist."""
    if named := os.environ.get("HF_HUB_CACHE"):
        return Path(named)
    if home := os.environ.get("HF_HOME"):
        return Path(home) / "hub"
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return Path(cache) / "huggingface" / "hub"


def clip_files(folder: Path) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Ids by token, and the merges in their order, of a CLIP vocabulary.

    Raises ModelError where they are damaged, StorageError where they cannot be read.
    """
    vocabulary: Any
    merges: Any
    if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        vocabulary = read_json(folder / "vocab.json", max_bytes=MAX_VOCABULARY_BYTES)
        merges = _merge_lines(folder / "merges.txt")
    else:
        path = folder / "tokenizer.json"
        model = _tokenizer_model(path)
        if model.get("type", "BPE") != "BPE":
            raise ModelError(f"{path}: is not the vocabulary of a CLIP text encoder")
        vocabulary, merges = model.get("vocab"), model.get("merges")
        merges = [one.split(" ") if isinstance(one, str) else one for one in merges] if merges else []
    if not isinstance(vocabulary, dict) or not all(type(one) is int for one in vocabulary.values()):
        raise ModelError(f"{folder}: its vocabulary is damaged; download it again")
    if not all(
        isinstance(one, list) and len(one) == 2 and all(isinstance(part, str) for part in one) for one in merges
    ):
        raise ModelError(f"{folder}: the merges of its vocabulary are damaged; download it again")
    return vocabulary, [(one[0], one[1]) for one in merges]


def t5_words(folder: Path) -> int:
    """Words of a T5 vocabulary, 0 where it is another's. Raises as `clip_files`."""
    model = _tokenizer_model(folder / "tokenizer.json")
    vocabulary = model.get("vocab")
    return len(vocabulary) if model.get("type") == "Unigram" and isinstance(vocabulary, list) else 0


def _merge_lines(path: Path) -> list[list[str]]:
    try:
        if path.stat().st_size > MAX_VOCABULARY_BYTES:
            raise ModelError(f"{path}: is too large for a list of merges")
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: is not UTF-8 text; download it again") from error
    return [line.split(" ") for line in lines if line.strip() and not line.startswith("#version")]


def _tokenizer_model(path: Path) -> Mapping[str, Any]:
    """The `model` of a tokenizer.json, which may be nested deeper than a config."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_VOCABULARY_BYTES + 1)
        mapping = json.loads(content) if len(content) <= MAX_VOCABULARY_BYTES else None
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: is not valid JSON; download it again") from error
    model = mapping.get("model") if isinstance(mapping, dict) else None
    if not isinstance(model, dict):
        raise ModelError(f"{path}: is no tokenizer")
    return model


@lru_cache(maxsize=512)
def _size(folder: Path, is_t5: bool, _changed_ns: int) -> int:
    """Words of a vocabulary; read again only when a file in its folder has changed."""
    return t5_words(folder) if is_t5 else len(clip_files(folder)[0])


def _hub_folders() -> Iterator[Path]:
    try:
        repositories = sorted(hub_cache_dir().glob("models--*"))[:_MAX_REPOSITORIES]
    except OSError:
        return
    for repository in repositories:
        for snapshot in sorted((repository / "snapshots").glob("*")):
            for folder in (snapshot, snapshot / "tokenizer", snapshot / "tokenizer_2"):
                if (folder / "vocab.json").is_file() or (folder / "tokenizer.json").is_file():
                    yield folder
