"""A model from the hub into a folder of this machine, and into the library once it is whole and checked."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from adstudio.errors import ModelError, StorageError
from adstudio.models.config_check import read_json
from adstudio.models.download_choice import Form, Plan
from adstudio.models.fetch import Report, fetch_files
from adstudio.models.folder import read_configs
from adstudio.models.hub import Hub
from adstudio.models.library import Entry, Health, add_to_library, load_library, look_at


def place_of(plan: Plan, into: Path) -> Path:
    """Where the model will be."""
    return into.absolute() / plan.name


def unfinished_of(plan: Plan, into: Path) -> Path:
    """Where it is while it is not whole: a hidden folder beside, in which the library does not look."""
    return into.absolute() / f".{plan.name}.download"


def download(
    hub: Hub,
    plan: Plan,
    into: Path,
    *,
    report: Report = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Entry:
    """Fetch a model, check it and put it into the library; what was fetched before is gone on with.

    Configs come first, so that a model of another kind is refused before its weights are asked for.
    Raises ModelError where it is there already or is no model that can be used, else as `fetch_files`.
    """
    target, unfinished = place_of(plan, into), unfinished_of(plan, into)
    if target.exists():
        raise ModelError(f"{target}: is there already; remove it, or choose another folder")
    if plan.form is not Form.FILE:
        small = [file for file in plan.files if not file.name.endswith(".safetensors")]
        fetch_files(hub, plan.listing, small, unfinished, stopped=stopped)
        try:
            _check_configs(plan, unfinished)
        except ModelError:
            discard(plan, into)
            raise
    fetch_files(hub, plan.listing, plan.files, unfinished, report=report, stopped=stopped)
    _tidy(plan, unfinished)
    whole = unfinished / plan.files[0].name if plan.form is Form.FILE else unfinished
    entry = look_at(whole)
    if entry.health is not Health.READY:
        raise ModelError(entry.problem)
    try:
        whole.rename(target)
        if plan.form is Form.FILE:
            shutil.rmtree(unfinished)
    except OSError as error:
        raise StorageError(f"{target}: cannot be written ({error.strerror or error}); choose another folder") from error
    if not any(one.path == target for one in load_library().entries):
        add_to_library(target)
    return next(one for one in load_library().entries if one.path == target)


def discard(plan: Plan, into: Path) -> None:
    """Throw away what has come so far. Raises StorageError."""
    unfinished = unfinished_of(plan, into)
    try:
        if unfinished.is_dir():
            shutil.rmtree(unfinished)
    except OSError as error:
        raise StorageError(f"{unfinished}: cannot be removed ({error.strerror or error})") from error


def _check_configs(plan: Plan, folder: Path) -> None:
    if plan.form is Form.FOLDER:
        read_configs(folder)
    elif read_json(folder / "config.json").get("_class_name") != "ControlNetModel":
        raise ModelError(f"{plan.listing.repository}: is one part of a model, neither a whole one nor a ControlNet")


def _tidy(plan: Plan, folder: Path) -> None:
    """Remove what an earlier version of the repository has left."""
    wanted = {folder / file.name for file in plan.files}
    for path in list(folder.rglob("*")):
        if path.is_file() and path not in wanted:
            path.unlink()
