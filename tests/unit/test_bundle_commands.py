"""`adstudio bundle` from one project to another, and the pictures made again from it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from adstudio.cli import main
from adstudio.engine.runner import StudioEngine
from adstudio.jobs.files import parse_job
from adstudio.jobs.thread_host import ThreadHost
from adstudio.projects import Project
from tests.engine.studio import marks, save_picture, scene


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Of a project with one finished run of the patch model, on a board."""
    save_picture(tmp_path / "content.png", scene(64, 48))
    save_picture(tmp_path / "style.png", marks(48, 48))
    job = parse_job(
        {"task": "style_transfer", "content": "content.png", "styles": [{"image": "style.png"}], "device": "cpu"},
        tmp_path,
    )
    with Project.create(tmp_path / "Autumn.adproj") as project:
        host = ThreadHost(lambda: StudioEngine(1))
        request = project.begin_run(job)

        async def story() -> None:
            async for event in host.events(host.submit(request)):
                project.record_event(request.folder.name, event)
            await host.shutdown()

        asyncio.run(story())
        project.put_on_board(project.add_board("Calendar"), [request.folder.name])
    assert (
        main(["bundle", "export", str(tmp_path / "Autumn.adproj"), "--to", str(tmp_path / "a"), "--board", "Calendar"])
        == 0
    )
    return tmp_path / "a.adbundle"


def test_a_bundle_is_shown_and_taken_in(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bundle", "show", str(bundle)]) == 0
    assert "1 runs of Autumn" in capsys.readouterr().out
    assert main(["bundle", "import", str(bundle), "--into", str(tmp_path / "Winter")]) == 0
    assert "1 runs taken in" in capsys.readouterr().out
    with Project.open(tmp_path / "Winter.adproj", read_only=True) as project:
        assert project.count() == 1 and [board.name for board in project.boards()] == ["Calendar"]


def test_a_replay_finds_the_same_pixels(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bundle", "replay", str(bundle), "--out", str(tmp_path / "again"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [one["same"] for one in report["pictures"]] == [True] and report["not_run"] == []
    assert json.loads((tmp_path / "again" / "report.json").read_text()) == report


def test_a_replay_says_how_far_pictures_differ(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Project.create(tmp_path / "Altered.adproj") as project:
        project.import_bundle(bundle)
        (run_id,) = project.run_ids()
        result = project.folder_of(run_id) / "result.png"
        result.unlink()
        save_picture(result, np.zeros((48, 64, 3), np.uint8))
        project.finish_run(run_id)
        project.export_bundle(tmp_path / "altered")
    assert main(["bundle", "replay", str(tmp_path / "altered.adbundle"), "--out", str(tmp_path / "again")]) == 1
    out = capsys.readouterr().out
    assert "differs" in out and "0 of 1 pictures are the same" in out


def test_what_is_not_there_is_named(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = str(tmp_path / "Autumn.adproj")
    for option, name in (("--board", "Diary"), ("--runs", "yesterday")):
        assert main(["bundle", "export", project, "--to", str(tmp_path / "b"), option, name]) == 2
        assert name in capsys.readouterr().err
    assert not (tmp_path / "b.adbundle").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    assert main(["bundle", "replay", str(bundle), "--out", str(tmp_path / "full")]) == 2
    assert "is not empty" in capsys.readouterr().err
