"""Which files of a repository are fetched: weights in safetensors, configs and words by name; nothing else, ever."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from adstudio.errors import ModelError
from adstudio.models.folder import INDEX_NAME
from adstudio.models.hub import SITE, HubFile, Listing

_SAFE = ".safetensors"
_PARTS = ("unet", "transformer", "vae", "text_encoder", "text_encoder_2")
_SMALL = frozenset(
    {
        INDEX_NAME,
        "LICENSE",
        "LICENSE.txt",
        "LICENSE.md",
        "scheduler/scheduler_config.json",
        *(f"{part}/config.json" for part in _PARTS),
        *(
            f"{folder}/{name}"
            for folder in ("tokenizer", "tokenizer_2")
            for name in ("vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json")
        ),
    }
)
_MAX_SMALL_BYTES = 32 << 20
_MAX_FILES = 200
_WEIGHTS = re.compile(
    r"(?:diffusion_pytorch_model|model)(?:\.(?P<before>\w+))?(?:-\d{5}-of-\d{5})?(?:\.(?P<middle>\w+))?"
    r"\.safetensors(?P<index>\.index(?:\.(?P<after>\w+))?\.json)?",
    re.ASCII,
)


class Form(StrEnum):
    """What comes of a download."""

    FOLDER = "folder"
    CONTROL = "control"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be fetched. name: of the folder or file it becomes. left_out: how many files are not fetched."""

    listing: Listing
    form: Form
    name: str
    files: tuple[HubFile, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def left_out(self) -> int:
        return len(self.listing.files) - len(self.files)


def repository_and_file(asked: str) -> tuple[str, str]:
    """What a person typed or pasted, PUBLISHER/MODEL, PUBLISHER/MODEL/FILE or the address of either, taken apart."""
    parts = asked.strip().removeprefix(f"{SITE}/").partition("?")[0].strip("/").split("/")
    if len(parts) > 3 and parts[2] in ("tree", "blob", "resolve"):
        parts[2:4] = []
    return "/".join(parts[:2]), "/".join(parts[2:])


def plan_download(listing: Listing, *, file: str = "") -> Plan:
    """A whole diffusers folder, a ControlNet, or one .safetensors file. 16-bit weights are taken where there are both.

    file: the one that is wanted of a repository with several. Raises ModelError where nothing here can be used.
    """
    by_name = {one.name: one for one in listing.files}
    name = listing.repository.split("/")[1]
    if file:
        return _one_file(listing, by_name.get(file), file)
    if INDEX_NAME in by_name:
        chosen = [one for one in listing.files if one.name in _SMALL]
        for part in _PARTS:
            if f"{part}/config.json" in by_name:
                chosen += _weights(listing, part)
        return _plan(listing, Form.FOLDER, name, chosen)
    if "config.json" in by_name and any(one.startswith("diffusion_pytorch_model") for one in by_name):
        return _plan(listing, Form.CONTROL, name, [by_name["config.json"], *_weights(listing, "")])
    single = [one for one in by_name if one.endswith(_SAFE) and "/" not in one]
    if len(single) == 1:
        return _one_file(listing, by_name[single[0]], single[0])
    if single:
        raise ModelError(
            f"{listing.repository}: holds several files; name the one you want behind it, as in {listing.repository}/"
            f"{single[0]}: {', '.join(single[:12])}"
        )
    raise ModelError(f"{listing.repository}: holds no model in safetensors files; {_why(by_name)}")


def _one_file(listing: Listing, found: HubFile | None, wanted: str) -> Plan:
    if found is None or not wanted.endswith(_SAFE):
        raise ModelError(f"{wanted}: is no {_SAFE} file of {listing.repository}")
    return _plan(listing, Form.FILE, wanted.rsplit("/", 1)[-1], [found])


def _plan(listing: Listing, form: Form, name: str, chosen: Iterable[HubFile]) -> Plan:
    files = tuple(sorted(chosen, key=lambda one: (one.name.endswith(_SAFE), one.name)))
    for one in files:
        if not one.name.endswith(_SAFE) and one.size_bytes > _MAX_SMALL_BYTES:
            raise ModelError(f"{listing.repository}: its {one.name} is far too large to be what it is called")
    if len(files) > _MAX_FILES:
        raise ModelError(f"{listing.repository}: has {len(files)} files of weights, more than any model known here")
    if name.startswith("."):
        raise ModelError(f"{listing.repository}: {name!r} begins with a point, which hides it; fetch another file")
    return Plan(listing=listing, form=form, name=name, files=files)


def _weights(listing: Listing, part: str) -> list[HubFile]:
    """One set of a part's weights with its index: of 16 bit, otherwise the plain one."""
    prefix = f"{part}/" if part else ""
    sets: dict[str, list[HubFile]] = {}
    for one in listing.files:
        name = one.name.removeprefix(prefix) if one.name.startswith(prefix) else ""
        if found := _WEIGHTS.fullmatch(name):
            variant = found["before"] or found["middle"] or found["after"] or ""
            sets.setdefault(variant, []).append(one)
    for variant in ("fp16", "bf16", ""):
        of_variant = sets.get(variant, [])
        whole = [one for one in of_variant if one.name.endswith(_SAFE) and "-of-" not in one.name]
        if whole:
            return whole[:1]
        if any(one.name.endswith(".json") for one in of_variant):
            return of_variant
    names = [one.name for one in listing.files if one.name.startswith(prefix)]
    raise ModelError(f"{listing.repository}: has no safetensors weights for its {part or 'ControlNet'}; {_why(names)}")


def _why(names: Iterable[str]) -> str:
    if any(one.endswith((".bin", ".ckpt", ".pt", ".pth")) for one in names):
        return "only pickles, which can run any program when they are opened and are never fetched"
    return "choose another repository"
