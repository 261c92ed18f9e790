"""Run folders: checked before written, complete, movable, listed whatever happened to them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image

from adstudio.errors import JobError
from adstudio.jobs import run_folder
from adstudio.jobs.event_log import EventLog, read_events
from adstudio.jobs.events import Finished, Preview, Queued
from adstudio.jobs.files import job_to_json, load_job
from adstudio.jobs.host import RunRequest
from adstudio.jobs.run_folder import RunStatus
from adstudio.jobs.spec import Job, Reference, Task
from tests.fakes import FakeHost, Script, sample_job, write_picture


def run_to_the_end(request: RunRequest, *scripts: Script) -> None:
    host = FakeHost(*scripts)

    async def story() -> None:
        async for _event in host.events(host.submit(request)):
            pass
        await host.shutdown()

    asyncio.run(story())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


def test_a_run_folder_is_complete_and_can_be_moved(tmp_path: Path) -> None:
    job = sample_job(tmp_path / "pictures")
    request = run_folder.create(job, tmp_path / "run")
    written = json.loads((tmp_path / "run" / "job.json").read_bytes())
    assert written["content"] == "inputs/content.png"
    assert (written["width"], written["height"], written["content_weight"]) == (48, 32, 0.25)
    for name, digest in written["digests"].items():
        assert hashlib.sha256((tmp_path / "run" / name).read_bytes()).hexdigest() == digest
    assert set(written["digests"]) == {"inputs/content.png", "inputs/style-1-style.png"}
    assert request.job == load_job(tmp_path / "run" / "job.json")

    shutil.rmtree(tmp_path / "pictures")
    (tmp_path / "run").rename(tmp_path / "moved")
    moved = run_folder.open_run(tmp_path / "moved")
    assert moved.resume
    assert moved.job.content == tmp_path / "moved" / "inputs" / "content.png"
    again = run_folder.create(load_job(tmp_path / "moved" / "job.json"), tmp_path / "again")
    assert (tmp_path / "again" / "job.json").read_bytes() == (tmp_path / "moved" / "job.json").read_bytes()
    assert again.job.digests == moved.job.digests


def test_inputs_are_never_altered(tmp_path: Path) -> None:
    job = sample_job(tmp_path / "pictures")
    before = contents(tmp_path / "pictures")
    run_to_the_end(run_folder.create(job, tmp_path / "run"))
    assert contents(tmp_path / "pictures") == before


def test_an_occupied_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    job = sample_job(tmp_path / "pictures")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "diary.txt").write_text("mine")
    for resume in (False, True):
        with pytest.raises(JobError, match="not empty"):
            run_folder.create(job, tmp_path / "run", resume=resume)
    assert contents(tmp_path / "run") == {"diary.txt": b"mine"}
    with pytest.raises(JobError, match="not a folder"):
        run_folder.create(job, tmp_path / "run" / "diary.txt")


def test_resume_takes_the_same_job_and_no_other(tmp_path: Path) -> None:
    job = sample_job(tmp_path / "pictures")
    run_folder.create(job, tmp_path / "run")
    before = contents(tmp_path / "run")
    assert run_folder.create(job, tmp_path / "run", resume=True).resume
    with pytest.raises(JobError, match=r"^seed: differs"):
        run_folder.create(job.model_copy(update={"seed": 5}), tmp_path / "run", resume=True)
    write_picture(tmp_path / "pictures" / "content.png", width=48, height=32, shade=99)
    with pytest.raises(JobError, match=r"^content: differs"):
        run_folder.create(job, tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == before


def test_resume_into_an_empty_or_half_made_folder_starts_over(tmp_path: Path) -> None:
    job = sample_job(tmp_path / "pictures")
    (tmp_path / "run" / "inputs").mkdir(parents=True)
    (tmp_path / "run" / "inputs" / "content.png").write_bytes(b"half")
    assert run_folder.create(job, tmp_path / "run", resume=True).resume
    run_folder.open_run(tmp_path / "run")


def test_a_changed_input_is_named(tmp_path: Path) -> None:
    request = run_folder.create(sample_job(tmp_path / "pictures"), tmp_path / "run")
    copy = request.job.styles[0].image
    write_picture(copy, width=9, height=9)
    with pytest.raises(JobError, match=r"^styles\.0\.image: .*style-1-style\.png has changed"):
        run_folder.open_run(tmp_path / "run")
    with pytest.raises(JobError, match="has changed"):
        run_folder.create(load_job(tmp_path / "run" / "job.json"), tmp_path / "other")
    assert not (tmp_path / "other").exists()
    copy.unlink()
    with pytest.raises(JobError, match=r"^styles\.0\.image: .* cannot be read"):
        run_folder.open_run(tmp_path / "run")


def test_a_plain_job_file_is_no_run_to_go_on_with(tmp_path: Path) -> None:
    job = sample_job(tmp_path)
    (tmp_path / "job.json").write_text(job_to_json(job))
    with pytest.raises(JobError, match="no digests"):
        run_folder.open_run(tmp_path)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"content": Path("/nowhere/photo.jpg")}, "content"),
        ({"styles": (Reference(image=Path("/nowhere/a.png")),)}, r"styles\.0\.image"),
        ({"protect_mask": Path("/nowhere/m.png")}, "protect_mask"),
        ({"width": 5000}, "width"),
        ({"model": "old.ckpt"}, "model"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(
    tmp_path: Path, changes: dict[str, object], field: str
) -> None:
    job = sample_job(tmp_path / "pictures").model_copy(update=changes)
    with pytest.raises(JobError, match=f"^{field}: "):
        run_folder.create(job, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_crops_must_lie_inside(tmp_path: Path) -> None:
    job = sample_job(tmp_path / "pictures")

    def cropped(crop: tuple[int, int, int, int]) -> Job:
        return job.model_copy(update={"styles": (Reference(image=job.styles[0].image, crop=crop),)})

    run_folder.create(cropped((40, 30, 8, 2)), tmp_path / "run")
    with pytest.raises(JobError, match=r"^styles\.0\.crop: must lie inside .* 48 × 32"):
        run_folder.create(cropped((41, 0, 8, 8)), tmp_path / "other")


def test_a_cropped_texture_has_the_size_of_its_crop(tmp_path: Path) -> None:
    style = write_picture(tmp_path / "weave.png", width=60, height=40)
    job = Job(task=Task.TEXTURE, styles=(Reference(image=style, crop=(5, 5, 20, 30)),))
    made = run_folder.create(job, tmp_path / "run").job
    assert (made.width, made.height) == (20, 30)


def test_masks_must_fit(tmp_path: Path) -> None:
    job = sample_job(tmp_path / "pictures")
    halves = Image.new("L", (48, 32), 0)
    halves.paste(255, (0, 0, 24, 32))
    halves.save(tmp_path / "mask.png")
    halves.resize((20, 20), Image.Resampling.NEAREST).save(tmp_path / "small.png")

    def masked(content: Path, style: Path) -> Job:
        return job.model_copy(
            update={"content_mask": content, "styles": (Reference(image=job.styles[0].image, mask=style),)}
        )

    made = run_folder.create(masked(tmp_path / "mask.png", tmp_path / "mask.png"), tmp_path / "run").job
    assert made.content_mask == tmp_path / "run" / "inputs" / "content-mask-mask.png"
    halves.point(lambda level: 90 if level else 0).save(tmp_path / "odd.png")
    with pytest.raises(JobError, match=r"^(content_mask|styles\.0\.mask): ") as caught:
        run_folder.create(masked(tmp_path / "mask.png", tmp_path / "odd.png"), tmp_path / "unpaired")
    assert "255" in str(caught.value) or "90" in str(caught.value)
    with pytest.raises(JobError, match=r"^content_mask: .*small"):
        run_folder.create(masked(tmp_path / "small.png", tmp_path / "mask.png"), tmp_path / "a")
    with pytest.raises(JobError, match=r"^styles\.0\.mask: .*small"):
        run_folder.create(masked(tmp_path / "mask.png", tmp_path / "small.png"), tmp_path / "b")
    with pytest.raises(JobError, match=r"^protect_mask: .*small"):
        run_folder.create(job.model_copy(update={"protect_mask": tmp_path / "small.png"}), tmp_path / "c")


@pytest.mark.parametrize("name", ["ü🎨 " + "lang" * 30 + ".png", "CON.png", "a:b?.png", "..png.png", "IMG.PNG"])
def test_names_of_any_kind_are_copied_safely(tmp_path: Path, name: str) -> None:
    picture = write_picture(tmp_path / "plain.png", width=8, height=8)
    odd = tmp_path / name
    picture.rename(odd)
    (tmp_path / "sub").mkdir()
    twin = tmp_path / "sub" / name.swapcase()
    shutil.copy(odd, twin)
    job = Job(task=Task.STYLE_TRANSFER, content=odd, styles=(Reference(image=odd), Reference(image=twin)))
    run_folder.create(job, tmp_path / "run")
    copies = [one.name for one in (tmp_path / "run" / "inputs").iterdir()]
    assert len({one.lower() for one in copies}) == 3
    assert all(one.isascii() and len(one) < 80 for one in copies)


def test_the_list_shows_every_end_and_flags_what_is_broken(tmp_path: Path) -> None:
    job = sample_job(tmp_path / "pictures")
    runs = tmp_path / "runs"
    run_to_the_end(run_folder.create(job, runs / "good"))
    run_to_the_end(run_folder.create(job, runs / "bad"), Script(error=ValueError("odd")))
    run_folder.create(job, runs / "open")
    run_to_the_end(run_folder.create(job, runs / "emptied"))
    (runs / "emptied" / "result.png").unlink()
    (runs / "torn").mkdir()
    (runs / "torn" / "job.json").write_text('{"task": ')
    (runs / "notes").mkdir()
    (runs / "file.txt").write_text("no run")
    found = {run.folder.name: run for run in run_folder.list_runs(runs)}
    assert set(found) == {"good", "bad", "open", "emptied", "torn"}
    assert {name: run.status for name, run in found.items()} == {
        "good": RunStatus.FINISHED,
        "bad": RunStatus.FAILED,
        "open": RunStatus.INTERRUPTED,
        "emptied": RunStatus.BROKEN,
        "torn": RunStatus.BROKEN,
    }
    assert found["good"].results == (runs / "good" / "result.png",)
    assert found["good"].seconds is not None
    assert "odd" in found["bad"].reason
    assert "JSON" in found["torn"].reason
    assert run_folder.is_finished(runs / "good")
    assert not any(run_folder.is_finished(runs / name) for name in ("bad", "open", "emptied", "torn", "none"))
    assert run_folder.list_runs(tmp_path / "none") == ()


def test_new_folders_never_collide(tmp_path: Path) -> None:
    at = datetime(2026, 11, 23, 12, 0, 0).astimezone()
    first = run_folder.new_folder(tmp_path, Task.STYLE_TRANSFER, at=at)
    first.mkdir()
    second = run_folder.new_folder(tmp_path, Task.STYLE_TRANSFER, at=at)
    assert first.name == "2026-11-23 12.00.00 style transfer"
    assert second.name == "2026-11-23 12.00.00 style transfer 2"


def test_the_log_keeps_no_pixels_and_no_absolute_results(tmp_path: Path) -> None:
    import numpy as np

    with EventLog(tmp_path) as log:
        log.append(Queued())
        log.append(Preview(image=np.zeros((3, 5, 3), np.uint8), step=1, steps=2, time_s=1.25))
        log.append(Finished(results=(tmp_path / "result.png",), figures=(("stroke", 0.5),), time_s=2.0))
    _queued, preview, finished = read_events(tmp_path)
    assert preview == {
        "time_s": 1.25, "type": "preview", "height": 3, "width": 5, "step": 1, "steps": 2, "image_index": 0,
    }  # fmt: skip
    assert finished == {"time_s": 2.0, "type": "finished", "results": ["result.png"], "figures": {"stroke": 0.5}}


def test_figures_that_nobody_measured_are_left_out(tmp_path: Path) -> None:
    with EventLog(tmp_path) as log:
        log.append(Finished(results=(tmp_path / "result.png",), time_s=2.0))
    assert read_events(tmp_path) == ({"time_s": 2.0, "type": "finished", "results": ["result.png"]},)


def test_a_torn_line_is_passed_over_and_mended(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"time_s": 1, "type": "started"}\nnonsense\n[]\n{"time_s": 2, "ty')
    assert [record["type"] for record in read_events(tmp_path)] == ["started"]
    with EventLog(tmp_path) as log:
        assert log.offset_s == 1
        log.append(Queued(time_s=3.0))
    assert path.read_bytes().endswith(b'[]\n{"time_s": 3.0, "type": "queued", "position": 0}\n')
