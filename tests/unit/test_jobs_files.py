"""Job files: read, written, changed, described."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adstudio.errors import JobError
from adstudio.jobs.files import (
    apply_settings,
    job_to_json,
    json_schema,
    load_job,
    mapping_from_text,
    parse_job,
)
from adstudio.jobs.spec import MAX_SEED, Job, Reference, Seamless, Task

BASE: dict[str, Any] = {"task": "style_transfer", "content": "a.png", "styles": [{"image": "b.png"}]}

names = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\\"), min_size=1, max_size=20
).filter(lambda text: bool(text.strip()) and text.strip() not in (".", ".."))
references = st.builds(
    Reference,
    image=names.map(lambda name: Path("/pictures") / name),
    weight=st.floats(0.001, 100),
    crop=st.none() | st.tuples(*[st.integers(0, 4000)] * 2, *[st.integers(1, 4000)] * 2),
)
jobs = st.builds(
    Job,
    task=st.sampled_from([Task.STYLE_TRANSFER, Task.APPEARANCE_TRANSFER]),
    content=names.map(lambda name: Path("/pictures") / name),
    styles=st.lists(references, min_size=1, max_size=3).map(tuple),
    width=st.none() | st.integers(1, 8192),
    content_weight=st.none() | st.floats(0, 10),
    attention_scale=st.floats(0.01, 10),
    seamless=st.sampled_from(list(Seamless)),
    seed=st.integers(0, MAX_SEED - 64),
    images=st.integers(1, 64),
)


@given(jobs)
def test_json_brings_the_same_job_back(job: Job) -> None:
    for base in (None, Path("/pictures"), Path("/elsewhere")):
        text = job_to_json(job, relative_to=base)
        assert parse_job(mapping_from_text(text), base or Path("/anywhere")) == job


def test_paths_count_from_the_job_file(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    path = tmp_path / "jobs" / "job.json"
    path.write_text(json.dumps({**BASE, "content": "../a.png"}), encoding="utf-8-sig")
    job = load_job(path)
    assert job.content == tmp_path / "jobs" / ".." / "a.png"
    assert job.styles[0].image == tmp_path / "jobs" / "b.png"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "JSON"),
        (b"[]", "object"),
        (b"{", "line 1"),
        (b"\xff\xfe{", "UTF-8"),
        (b'{"a": ' + b"[" * 100_000, "JSON"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "JSON"),
        (b'{"seed": 1, "seed": 2}', "seed: given twice"),
        (b'{"color": NaN}', "color: must be a finite number, got NaN"),
        (b'{"styles": [{"weight": 1e999}]}', "styles.0.weight: must be a finite number, got Infinity"),
        (b" " * 1_100_000, "larger than 1 MB"),
    ],
)
def test_files_that_are_no_jobs(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "job.json"
    path.write_bytes(content)
    with pytest.raises(JobError) as caught:
        load_job(path)
    assert word in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(JobError, match="job file"):
            load_job(path)


def test_settings_change_fields_and_elements() -> None:
    changed = apply_settings(
        BASE, ["seed=7", "styles.0.weight=2", "styles.1.image=7.png", "content=5", "seamless=both", "width=null"]
    )
    job = parse_job(changed, Path("/p"))
    assert (job.seed, job.styles[0].weight, job.styles[1].image) == (7, 2, Path("/p/7.png"))
    assert (job.content, job.seamless, job.width) == (Path("/p/5"), Seamless.BOTH, None)
    assert BASE["styles"] == [{"image": "b.png"}]


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ("seed", "field=value"),
        ("=3", "field=value"),
        ("nothing.at.all=3", "nothing: unknown field"),
        ("styles.7.weight=1", "styles.7: styles is a list; its places are 0 to 1, got 7"),
        ("styles.first=1", "styles.first: styles is a list; its places are 0 to 1, got first"),
        ("seed.0=1", "seed: has no parts; set it as a whole (seed=…)"),
        ("sead=1", "sead: unknown field; did you mean seed? (`adstudio schema` lists them all)"),
        ("sttyles.0.weight=1", "sttyles: unknown field; did you mean styles?"),
        ("styles.0.wieght=1", "styles.0.wieght: unknown field; did you mean weight?"),
        ("Content-Weight=1", "Content-Weight: unknown field; did you mean content_weight?"),
        ("steps=4", "steps: unknown field; did you mean num_inference_steps?"),
        ("color=NaN", "color: must be a number"),
        ("seed=seven", "seed: must be a whole number"),
    ],
)
def test_settings_that_cannot_be(setting: str, word: str) -> None:
    with pytest.raises(JobError) as caught:
        parse_job(apply_settings(BASE, [setting]), Path("/p"))
    assert word in str(caught.value)


def test_the_schema_names_every_field() -> None:
    schema = json_schema()
    assert set(schema["properties"]) == set(Job.model_fields)
    assert schema["additionalProperties"] is False
    assert schema["properties"]["color"]["maximum"] == 1
    for side in ("width", "height"):
        assert "patch model makes up to 4096" in schema["properties"][side]["description"]
    json.dumps(schema, allow_nan=False)
