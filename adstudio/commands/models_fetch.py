"""`adstudio models download`, `fetch-vocabulary` and `offline`: the only commands that use a network."""

from __future__ import annotations

import sys
from pathlib import Path

from adstudio.commands.console import say, tell
from adstudio.errors import ModelError
from adstudio.models.download import download, place_of
from adstudio.models.download_choice import Plan, plan_download, repository_and_file
from adstudio.models.families import FACTS, Family
from adstudio.models.fetch import Fetching
from adstudio.models.hub import HttpHub
from adstudio.models.vocabulary_fetch import SOURCES, fetch_vocabulary, question_bytes, words_of
from adstudio.paths import models_dir, settings_path
from adstudio.settings import load_settings, save_settings

_MB, _GB = 1 << 20, 1 << 30


def download_command(repository: str, *, revision: str, file: str, to: Path | None, agreed: bool) -> int:
    """List what a repository holds, ask, fetch it and add it. Ctrl+C keeps what came; the same command goes on."""
    hub = HttpHub(offline=load_settings(settings_path()).offline)
    repository, named = repository_and_file(repository)
    plan = plan_download(hub.listing(repository, revision), file=file or named)
    into = to if to is not None else models_dir()
    for line in _lines(plan, into):
        say(line)
    if not agreed and not _asked():
        raise ModelError("nothing was fetched; answer yes, or add --yes where nobody can be asked")
    entry = download(hub, plan, into, report=_Lines().show)
    say(f"{entry.name}: {entry.health.value}; {entry.problem or entry.path}")
    return 0


def fetch_vocabulary_command(family: Family) -> int:
    """Fetch the words that the prompts of a family need."""
    hub = HttpHub(offline=load_settings(settings_path()).offline)
    wanted = words_of(family)
    names = " and ".join(SOURCES[words].repository for words in wanted)
    tell(f"Fetching about {question_bytes(wanted) / 1e6:.1f} MB from {names} …")
    for folder in fetch_vocabulary(hub, wanted):
        say(f"{folder}: the words for prompts of {FACTS[family].title}")
    return 0


def offline_command(switch: str | None) -> int:
    """Say whether anything may be fetched, or decide it."""
    settings = load_settings(settings_path())
    if switch is not None:
        settings = settings.model_copy(update={"offline": switch == "on"})
        save_settings(settings, settings_path())
    say("offline: nothing is fetched" if settings.offline else "not offline: models and words are fetched when asked")
    return 0


def _lines(plan: Plan, into: Path) -> list[str]:
    lines = [f"{_size(file.size_bytes):>10}  {file.name}" for file in plan.files]
    lines.append(f"{_size(plan.size_bytes):>10}  in all; {plan.left_out} other files are left out")
    licence = plan.listing.licence or "not named; read the publisher's page"
    return [*lines, f"Licence: {licence}", f"Revision: {plan.listing.commit}", f"Into: {place_of(plan, into)}"]


def _size(size_bytes: int) -> str:
    if size_bytes >= _GB // 2:
        return f"{size_bytes / _GB:.1f} GB"
    return f"{size_bytes / _MB:.1f} MB" if size_bytes >= _MB // 10 else f"{size_bytes / 1024:.1f} kB"


def _asked() -> bool:
    if not sys.stdin.isatty():
        return False
    tell("Fetch it? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


class _Lines:
    """A line on stderr for every twentieth, and when checking begins."""

    def __init__(self) -> None:
        self._shown = ("", -1)

    def show(self, now: Fetching) -> None:
        twentieth = 20 * now.done_bytes // max(1, now.total_bytes)
        state = (f"checking {now.file}" if now.checking else "fetching", twentieth)
        if state[1] != self._shown[1]:
            tell(f"{5 * twentieth:3d} %, {_size(now.done_bytes)} of {_size(now.total_bytes)}, {state[0]}")
            self._shown = state
