"""The vocabularies of text encoders, fetched once when the user asks. Words only: no weights, no code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from adstudio.errors import ModelError
from adstudio.models.description import Component, ModelDescription
from adstudio.models.families import FACTS, Family
from adstudio.models.fetch import Report, fetch_files
from adstudio.models.hub import Hub
from adstudio.models.vocabulary import clip_files, fits_size, t5_words
from adstudio.paths import vocabularies_dir


class Words(StrEnum):
    """A vocabulary; the value is its folder."""

    CLIP = "clip"
    T5 = "t5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """commit: one certain state of the repository. size_bytes: about, for the question. words: how many there must be.

    merges: how many there must be, 0 for a vocabulary without.
    """

    repository: str
    commit: str
    files: tuple[str, ...]
    size_bytes: int
    words: int
    merges: int = 0


SOURCES: Mapping[Words, Source] = {
    Words.CLIP: Source(
        repository="openai/clip-vit-large-patch14",
        commit="32bd64288804d66eefd0ccbe215aa642df71cc41",
        files=("vocab.json", "merges.txt"),
        size_bytes=1_500_000,
        words=49408,
        merges=48894,
    ),
    # T5 of every size, FLUX's too, has the same words.
    Words.T5: Source(
        repository="google-t5/t5-small",
        commit="df1b051c49625cf57a3d0d8d3863ed4d13564fe4",
        files=("tokenizer.json",),
        size_bytes=1_400_000,
        words=32100,
    ),
}
_MAX_BYTES = 8 << 20


def words_of(family: Family) -> tuple[Words, ...]:
    """The vocabularies that the prompts of a family need."""
    return (Words.CLIP, Words.T5) if family is Family.FLUX else (Words.CLIP,)


def missing_words(model: ModelDescription) -> tuple[Words, ...]:
    """The vocabularies that a model's prompts need, that are not on this machine and that would fit it."""
    wanting = [
        model.components[role]
        for role in FACTS[model.family].text_roles
        if role not in model.tokenizer_dirs and role in model.components
    ]
    return tuple(words for words in Words if any(_fits(words, component) for component in wanting))


def question_bytes(wanted: tuple[Words, ...]) -> int:
    """About how much is fetched."""
    return sum(SOURCES[words].size_bytes for words in wanted)


def fetch_vocabulary(
    hub: Hub,
    wanted: tuple[Words, ...],
    *,
    report: Report = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> tuple[Path, ...]:
    """Fetch vocabularies into our own folder, at the pinned commit; the folders.

    Each file is held to the checksum of the listing, and the whole to its structure: so many words and merges.
    Raises ModelError where either differs, else as `fetch_files`.
    """
    return tuple(_fetch(hub, words, report, stopped) for words in wanted)


def _fetch(hub: Hub, words: Words, report: Report, stopped: Callable[[], bool]) -> Path:
    source, folder = SOURCES[words], vocabularies_dir() / words
    listing = hub.listing(source.repository, source.commit)
    if listing.commit != source.commit:
        raise ModelError(f"{source.repository}: the site answered with another commit than was asked for; try later")
    files = tuple(file for file in listing.files if file.name in source.files)
    if len(files) != len(source.files) or any(file.size_bytes > _MAX_BYTES for file in files):
        raise ModelError(f"{source.repository}: does not hold {' and '.join(source.files)} as expected; try later")
    fetch_files(hub, listing, files, folder, report=report, stopped=stopped)
    try:
        _check(words, source, folder)
    except ModelError:
        for file in files:
            (folder / file.name).unlink(missing_ok=True)
        raise
    return folder


def _check(words: Words, source: Source, folder: Path) -> None:
    if words is Words.T5:
        found, merges = t5_words(folder), 0
    else:
        ids, pairs = clip_files(folder)
        found, merges = len(set(ids.values())), len(pairs)
    if (found, merges) != (source.words, source.merges):
        raise ModelError(
            f"{source.repository}: is not the vocabulary that is expected ({found} words and {merges} merges, not "
            f"{source.words} and {source.merges}), and was thrown away"
        )


def _fits(words: Words, component: Component) -> bool:
    is_t5 = component.config["_class_name"] == "T5EncoderModel"
    return is_t5 == (words is Words.T5) and fits_size(SOURCES[words].words, component)
