"""Fault 24: a hostile or damaged bundle is refused as a whole, and nothing of it is written."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adstudio.errors import AdStudioError, ProjectError
from adstudio.projects import Project
from tests.projects.makers import contents, finished_run

Members = dict[str, bytes]
Spoil = Callable[[Members, dict[str, Any]], None]


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A bundle with one run."""
    with Project.create(tmp_path / "Source.adproj") as project:
        finished_run(project, tmp_path / "pictures")
        project.export_bundle(tmp_path / "sound")
    return tmp_path / "sound.adbundle"


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "Target.adproj") as project:
        yield project


def taken_apart(bundle: Path) -> tuple[Members, dict[str, Any]]:
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return members, json.loads(members.pop("manifest.json"))


def listed(name: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def rebuilt(bundle: Path, members: Members, manifest: dict[str, Any]) -> Path:
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for name, content in members.items():
            archive.writestr(name, content)
    return bundle


def refused(target: Project, bundle: Path, words: str) -> None:
    before = contents(target.folder)
    with pytest.raises(ProjectError, match=words) as raised:
        target.import_bundle(bundle)
    assert str(bundle) in str(raised.value)
    assert contents(target.folder) == before
    assert target.count() == 0


def _added(name: str) -> Spoil:
    def spoil(members: Members, manifest: dict[str, Any]) -> None:
        members[name] = b"evil"
        manifest["members"].append(listed(name, b"evil"))

    return spoil


def _lie_of_size(members: Members, manifest: dict[str, Any]) -> None:
    manifest["members"][0]["size_bytes"] += 1


def _lie_of_digest(members: Members, manifest: dict[str, Any]) -> None:
    manifest["members"][0]["sha256"] = "0" * 64


def _missing(members: Members, manifest: dict[str, Any]) -> None:
    del members[next(name for name in members if name.startswith("objects/"))]


def _unlisted(members: Members, manifest: dict[str, Any]) -> None:
    members["objects/" + "a" * 64] = b"surplus"


def _object_not_listed_by_run(members: Members, manifest: dict[str, Any]) -> None:
    name = next(name for name in members if name.startswith("objects/"))
    del members[name]
    manifest["members"] = [one for one in manifest["members"] if one["name"] != name]


def _newer(members: Members, manifest: dict[str, Any]) -> None:
    manifest["format"] = 99
    manifest["surprise"] = True


def _bomb(members: Members, manifest: dict[str, Any]) -> None:
    content = b"\0" * 50_000_000
    name = f"objects/{hashlib.sha256(content).hexdigest()}"
    members[name] = content
    manifest["members"].append(listed(name, content))


def _changed_sheet(change: Callable[[dict[str, Any]], None]) -> Spoil:
    def spoil(members: Members, manifest: dict[str, Any]) -> None:
        name = next(name for name in members if name.endswith("run.json"))
        sheet = json.loads(members[name])
        change(sheet)
        members[name] = json.dumps(sheet).encode()
        manifest["members"] = [one for one in manifest["members"] if one["name"] != name] + [
            listed(name, members[name])
        ]

    return spoil


def _escaping_file(sheet: dict[str, Any]) -> None:
    sheet["results"][0]["file"] = "../../../evil.png"


def _device_file(sheet: dict[str, Any]) -> None:
    sheet["results"][0]["file"] = "con.png"


def _escaping_job(sheet: dict[str, Any]) -> None:
    sheet["job"]["content"] = "../../../../etc/passwd"


def _absolute_job(sheet: dict[str, Any]) -> None:
    sheet["job"]["styles"][0]["image"] = "/etc/passwd"


def _other_id(sheet: dict[str, Any]) -> None:
    sheet["id"] = "20200101-000000-00000000"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_added("../evil"), "leads out of the bundle|is no name"),
        (_added("objects/../../evil"), "leads out of the bundle"),
        (_added("/etc/evil"), "absolute path"),
        (_added("C:/evil"), "absolute path"),
        (_added("objects\\evil"), "another system"),
        (_added("runs/20200101-000000-00000000/con"), "Windows keeps"),
        (_added("runs/20200101-000000-00000000/run.json"), "belongs to no run"),
        (_added("objects/readme.txt"), "is no name of a bundle"),
        (_lie_of_size, "another size"),
        (_lie_of_digest, "is not what manifest.json says"),
        (_missing, "is missing"),
        (_unlisted, "is not in its manifest"),
        (_object_not_listed_by_run, "is not in the bundle"),
        (_newer, "newer version"),
        (_bomb, "out of all proportion"),
        (_changed_sheet(_escaping_file), "leads out"),
        (_changed_sheet(_device_file), "Windows keeps"),
        (_changed_sheet(_escaping_job), "not the run's own"),
        (_changed_sheet(_absolute_job), "not the run's own"),
        (_changed_sheet(_other_id), "another run"),
    ],
)
def test_24_what_is_not_as_the_manifest_says_is_refused(sound: Path, target: Project, spoil: Spoil, words: str) -> None:
    members, manifest = taken_apart(sound)
    spoil(members, manifest)
    refused(target, rebuilt(sound, members, manifest), words)


def test_24_names_that_differ_in_case_only_and_names_given_twice_are_refused(sound: Path, target: Project) -> None:
    members, manifest = taken_apart(sound)
    name = next(name for name in members if name.endswith("run.json"))
    rebuilt(sound, members, manifest)
    with zipfile.ZipFile(sound, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(name, b"again")
    refused(target, sound, "stands in it twice")


def test_24_a_link_is_refused(sound: Path, target: Project) -> None:
    members, manifest = taken_apart(sound)
    name = next(name for name in members if name.startswith("objects/"))
    content = members.pop(name)
    rebuilt(sound, members, manifest)
    with zipfile.ZipFile(sound, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, content)
    refused(target, sound, "is a link")


def test_24_what_is_no_bundle_is_refused(tmp_path: Path, target: Project) -> None:
    text = tmp_path / "notes.adbundle"
    text.write_text("dear diary")
    refused(target, text, "no bundle")
    with zipfile.ZipFile(tmp_path / "other.adbundle", "w") as archive:
        archive.writestr("objects/" + "a" * 64, "x")
    refused(target, tmp_path / "other.adbundle", "has no manifest.json")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_24_a_flipped_bit_is_refused_or_changes_nothing(sound: Path, target: Project, place: float, bit: int) -> None:
    """Bytes that no reader looks at may differ; then what comes in is what was sent."""
    content = bytearray(sound.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    damaged = sound.with_name("damaged.adbundle")
    damaged.write_bytes(content)
    before = target.count()
    try:
        taken = target.import_bundle(damaged)
    except AdStudioError:
        assert target.count() == before
    else:
        assert len(taken.runs) + len(taken.known) == 1 and target.check() == ()
