"""Models and vocabularies from a hub: chosen, fetched, gone on with, checked, and in the library when whole."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from adstudio.cli import main
from adstudio.errors import ModelError, StorageFullError, UnavailableError
from adstudio.models import vocabulary_fetch
from adstudio.models.download import discard, download, unfinished_of
from adstudio.models.download_choice import Form, Plan, plan_download, repository_and_file
from adstudio.models.families import Family
from adstudio.models.fetch import Fetching, StoppedError, part_of
from adstudio.models.hub import BrokenOffError, HttpHub, HubFile, Listing
from adstudio.models.library import Health, load_library
from adstudio.models.vocabulary_fetch import SOURCES, Words, fetch_vocabulary, missing_words
from adstudio.paths import models_dir, settings_path, vocabularies_dir
from adstudio.settings import Settings, save_settings
from tests.engine.tiny_models import tiny_model, write_folder
from tests.hub_server import COMMIT, FakeHub, serving
from tests.ui.model_files import write_model

REPOSITORY = "painters/oil"
UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    made = FakeHub()
    with serving(made) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield made


@pytest.fixture
def oil(hub: FakeHub, tmp_path: Path) -> FakeHub:
    """A whole diffusers folder, with what must not be fetched beside it."""
    folder = write_folder(tiny_model(Family.SD15), tmp_path / "original")
    for name in ("pytorch_model.bin", "unet/model.py", "run.sh", "unet/diffusion_pytorch_model.bin"):
        (folder / name).write_bytes(b"print('never')")
    hub.put_folder(REPOSITORY, folder)
    return hub


def online() -> HttpHub:
    return HttpHub(offline=False)


def planned(repository: str = REPOSITORY) -> Plan:
    return plan_download(online().listing(repository))


def listing_of(*names: str) -> Listing:
    files = tuple(HubFile(name=name, size_bytes=10, git_sha1="0" * 40) for name in names)
    return Listing(repository=REPOSITORY, commit=COMMIT, licence="", files=files)


def test_a_whole_folder_comes_into_the_library_and_nothing_else_is_fetched(oil: FakeHub, tmp_path: Path) -> None:
    seen: list[Fetching] = []
    plan = planned()
    assert plan.form is Form.FOLDER and plan.listing.licence == "apache-2.0" and plan.left_out >= 4
    entry = download(online(), plan, tmp_path / "into", report=seen.append)
    assert entry.health is Health.READY and entry.family is Family.SD15 and entry.path == tmp_path / "into" / "oil"
    assert [one.path for one in load_library().entries] == [entry.path]
    fetched = {path for path, _ in oil.asked}
    assert not any(path.endswith((".bin", ".py", ".sh")) for path in fetched)
    assert all(f"/resolve/{COMMIT}/" in path or path.startswith("/api/") for path in fetched)
    assert seen[-1].done_bytes == seen[-1].total_bytes == plan.size_bytes
    assert [one.done_bytes for one in seen if not one.checking] == sorted(
        one.done_bytes for one in seen if not one.checking
    )
    assert not unfinished_of(plan, tmp_path / "into").exists()


def test_a_connection_that_breaks_is_gone_on_with_where_it_broke(oil: FakeHub, tmp_path: Path) -> None:
    size = len(oil.files[REPOSITORY][UNET])
    oil.breaks[UNET] = [size // 3, size // 3]
    entry = download(online(), planned(), tmp_path)
    assert oil.ranges(UNET) == ["", f"bytes={size // 3}-", f"bytes={2 * (size // 3)}-"]
    assert (entry.path / UNET).read_bytes() == oil.files[REPOSITORY][UNET]


def test_a_connection_that_brings_nothing_more_ends_in_words_and_keeps_the_part(oil: FakeHub, tmp_path: Path) -> None:
    oil.breaks[UNET] = [5000, 0]
    plan = planned()
    with pytest.raises(BrokenOffError, match="are kept, start it again to go on"):
        download(online(), plan, tmp_path)
    assert load_library().entries == () and not (tmp_path / "oil").exists()
    download(online(), plan, tmp_path)
    assert oil.ranges(UNET) == ["", "bytes=5000-", "bytes=5000-"]


def test_pause_keeps_what_came_and_the_next_start_goes_on(oil: FakeHub, tmp_path: Path) -> None:
    plan = planned()
    unet = next(file for file in plan.files if file.name == UNET)
    part = part_of(unfinished_of(plan, tmp_path), unet)
    with pytest.raises(StoppedError, match="paused"):
        download(online(), plan, tmp_path, stopped=lambda: part.exists() and part.stat().st_size > 0)
    kept = part.stat().st_size
    assert 0 < kept <= unet.size_bytes
    part.write_bytes(part.read_bytes()[:4000])  # whatever the size of the portions
    assert download(online(), plan, tmp_path).health is Health.READY
    assert oil.ranges(UNET)[-1] == "bytes=4000-"
    small = "unet/config.json"
    assert len(oil.ranges(small)) == 1, "what is whole is not fetched again"


def test_a_site_without_ranges_starts_the_file_anew(oil: FakeHub, tmp_path: Path) -> None:
    oil.knows_ranges = False
    oil.breaks[UNET] = [5000]
    entry = download(online(), planned(), tmp_path)
    assert (entry.path / UNET).read_bytes() == oil.files[REPOSITORY][UNET]


@pytest.mark.parametrize("name", [UNET, "unet/config.json"])
def test_a_wrong_checksum_is_thrown_away(oil: FakeHub, tmp_path: Path, name: str) -> None:
    oil.altered.add(name)
    plan = planned()
    with pytest.raises(ModelError, match="checksum differs"):
        download(online(), plan, tmp_path)
    left = unfinished_of(plan, tmp_path)
    assert not (left / name).exists() and not list(left.rglob("*.part"))
    assert load_library().entries == ()
    oil.altered.clear()
    assert download(online(), plan, tmp_path).health is Health.READY


def test_a_part_of_another_version_is_not_gone_on_with(oil: FakeHub, tmp_path: Path) -> None:
    oil.breaks[UNET] = [5000, 0]
    with pytest.raises(BrokenOffError):
        download(online(), planned(), tmp_path)
    content = bytearray(oil.files[REPOSITORY][UNET])
    content[-1] ^= 1
    oil.files[REPOSITORY][UNET] = bytes(content)
    entry = download(online(), planned(), tmp_path)
    assert oil.ranges(UNET)[-1] == "" and (entry.path / UNET).read_bytes() == bytes(content)
    assert not list(entry.path.rglob("*.part"))


@pytest.mark.parametrize(
    "name", ["../evil.json", "/etc/evil.json", "unet/../../evil.json", "C:\\evil.json", "unet//x.json", "a/./b.json"]
)
def test_names_that_lead_out_of_the_folder_are_refused(oil: FakeHub, name: str) -> None:
    oil.names.append(name)
    with pytest.raises(ModelError, match="is no file inside it"):
        planned()


def test_a_model_that_names_code_is_refused_before_its_weights_are_asked_for(oil: FakeHub, tmp_path: Path) -> None:
    config = json.loads(oil.files[REPOSITORY]["unet/config.json"])
    oil.files[REPOSITORY]["unet/config.json"] = json.dumps({**config, "auto_map": {"AutoModel": "evil.py"}}).encode()
    with pytest.raises(ModelError, match="auto_map"):
        download(online(), planned(), tmp_path)
    assert oil.ranges(UNET) == [] and load_library().entries == () and not list(tmp_path.glob(".*"))


def test_a_part_of_a_model_is_no_controlnet(hub: FakeHub, tmp_path: Path) -> None:
    config = json.dumps({"_class_name": "AutoencoderKL"}).encode()
    hub.files[REPOSITORY] = {"config.json": config, "diffusion_pytorch_model.safetensors": b"x" * 5000}
    plan = planned()
    assert plan.form is Form.CONTROL
    with pytest.raises(ModelError, match="neither a whole one nor a ControlNet"):
        download(online(), plan, tmp_path)
    assert hub.ranges("diffusion_pytorch_model.safetensors") == [] and not list(tmp_path.glob(".*"))


def test_no_room_is_said_before_anything_is_fetched(
    oil: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(StorageFullError, match="make room or choose another folder"):
        download(online(), planned(), tmp_path)
    assert not any("/resolve/" in path for path, _ in oil.asked)


@pytest.mark.parametrize(
    ("status", "words"), [(401, "licence accepted first"), (404, "no such repository"), (429, "try again later")]
)
def test_refusals_of_the_site_are_said_in_words(oil: FakeHub, status: int, words: str) -> None:
    oil.status = status
    with pytest.raises(UnavailableError, match=words):
        planned()


def test_a_file_is_never_taken_from_this_machine(oil: FakeHub, tmp_path: Path) -> None:
    plan = planned()
    oil.moved_to = "file:///etc/passwd"
    with pytest.raises(UnavailableError, match=r"not encrypted|answered with an error"):
        download(online(), plan, tmp_path)


def test_nobody_is_asked_while_the_offline_switch_is_on(oil: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "offline", "on"]) == 0
    assert main(["models", "download", REPOSITORY, "--yes"]) == 3
    assert main(["models", "fetch-vocabulary", "sd15"]) == 3
    assert "the offline switch is on" in capsys.readouterr().err
    assert oil.asked == []
    assert main(["models", "offline", "off"]) == 0
    assert main(["models", "download", REPOSITORY, "--yes"]) == 0


def test_the_command_shows_what_it_would_fetch_and_asks(oil: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "download", REPOSITORY]) == 2
    told = capsys.readouterr()
    assert UNET in told.out and "Licence: apache-2.0" in told.out and "add --yes" in told.err
    assert not any("/resolve/" in path for path, _ in oil.asked)
    assert main(["models", "download", REPOSITORY, "--yes"]) == 0
    assert "oil: ready" in capsys.readouterr().out and (models_dir() / "oil").is_dir()
    assert main(["models", "download", REPOSITORY, "--yes"]) == 2
    assert "is there already" in capsys.readouterr().err


def test_one_file_of_several(hub: FakeHub, tmp_path: Path) -> None:
    for name in ("oil", "ink"):
        file = write_model(tmp_path / "original" / f"{name}.safetensors", size_gb=0.0)
        hub.files.setdefault(REPOSITORY, {})[file.name] = file.read_bytes()
    with pytest.raises(ModelError, match=r"painters/oil/oil\.safetensors: oil\.safetensors, ink"):
        planned()
    plan = plan_download(online().listing(REPOSITORY), file="ink.safetensors")
    entry = download(online(), plan, tmp_path / "into")
    assert entry.path == tmp_path / "into" / "ink.safetensors" and entry.name == "ink"
    assert sorted(one.name for one in (tmp_path / "into").iterdir()) == ["ink.safetensors"]


def test_what_was_begun_can_be_thrown_away(oil: FakeHub, tmp_path: Path) -> None:
    oil.breaks[UNET] = [5000, 0]
    plan = planned()
    with pytest.raises(BrokenOffError):
        download(online(), plan, tmp_path / "into")
    discard(plan, tmp_path / "into")
    assert list((tmp_path / "into").iterdir()) == []


def test_sixteen_bit_weights_are_preferred_also_in_shards() -> None:
    names = (
        "model_index.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.non_ema.safetensors",
        "text_encoder/config.json",
        "text_encoder/model-00001-of-00002.safetensors",
        "text_encoder/model-00002-of-00002.safetensors",
        "text_encoder/model.safetensors.index.json",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
        "safety_checker/model.safetensors",
    )
    chosen = {file.name for file in plan_download(listing_of(*names)).files}
    assert chosen == {*names} - {names[2], names[4], names[-1]}


@pytest.mark.parametrize(
    ("asked", "repository", "file"),
    [
        ("painters/oil", "painters/oil", ""),
        (" https://huggingface.co/painters/oil/ ", "painters/oil", ""),
        ("https://huggingface.co/painters/oil/tree/main", "painters/oil", ""),
        ("painters/oil/ink.safetensors", "painters/oil", "ink.safetensors"),
        (
            "https://huggingface.co/painters/oil/resolve/main/a/ink.safetensors?download=true",
            "painters/oil",
            "a/ink.safetensors",
        ),
        ("oil", "oil", ""),
    ],
)
def test_a_name_or_an_address_is_taken_apart(asked: str, repository: str, file: str) -> None:
    assert repository_and_file(asked) == (repository, file)


def test_pickles_are_never_fetched() -> None:
    with pytest.raises(ModelError, match="only pickles"):
        plan_download(listing_of("model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.bin"))
    with pytest.raises(ModelError, match="only pickles"):
        plan_download(listing_of("model.ckpt"))
    with pytest.raises(ModelError, match=r"is no \.safetensors file"):
        plan_download(listing_of("model.ckpt"), file="model.ckpt")


@pytest.mark.parametrize("repository", ["oil", "../x/y", "a/b/c", "a/..", "a b/c", ""])
def test_what_is_no_repository(hub: FakeHub, repository: str) -> None:
    with pytest.raises(ModelError, match="is no repository"):
        online().listing(repository)
    assert hub.asked == []


# Vocabularies


def words_on(hub: FakeHub, *, words: int = 49408, merges: int = 48894) -> None:
    clip, t5 = SOURCES[Words.CLIP], SOURCES[Words.T5]
    ids = json.dumps({f"w{number}": number for number in range(words)}).encode()
    lines = "#version: 0.2\n" + "".join(f"a{number} b\n" for number in range(merges))
    hub.files[clip.repository] = {"vocab.json": ids, "merges.txt": lines.encode(), "pytorch_model.bin": b"x"}
    pieces = [[f"p{number}", 0.0] for number in range(32100)]
    content = json.dumps({"model": {"type": "Unigram", "vocab": pieces}}).encode()
    hub.files[t5.repository] = {"tokenizer.json": content}
    hub.commits = {source.repository: source.commit for source in (clip, t5)}


def test_a_bare_file_reads_prompts_once_its_words_were_fetched(hub: FakeHub, tmp_path: Path) -> None:
    words_on(hub)
    write_model(models_dir() / "oil.safetensors")
    before = load_library().entries[0].model
    assert before is not None and missing_words(before) == (Words.CLIP,)
    assert main(["models", "fetch-vocabulary", "sd15"]) == 0
    after = load_library().entries[0].model
    assert (
        after is not None
        and missing_words(after) == ()
        and set(after.tokenizer_dirs.values()) == {vocabularies_dir() / "clip"}
    )
    assert sorted(one.name for one in (vocabularies_dir() / "clip").iterdir()) == ["merges.txt", "vocab.json"]
    assert all(SOURCES[Words.CLIP].commit in path for path, _ in hub.asked)


def test_flux_needs_both_vocabularies(hub: FakeHub) -> None:
    words_on(hub)
    assert main(["models", "fetch-vocabulary", "flux"]) == 0
    assert (vocabularies_dir() / "t5" / "tokenizer.json").is_file()
    assert (vocabularies_dir() / "clip" / "vocab.json").is_file()


@pytest.mark.parametrize(("words", "merges"), [(49407, 48894), (49408, 48893)])
def test_another_vocabulary_than_expected_is_thrown_away(hub: FakeHub, words: int, merges: int) -> None:
    words_on(hub, words=words, merges=merges)
    with pytest.raises(ModelError, match="is not the vocabulary that is expected"):
        fetch_vocabulary(online(), (Words.CLIP,))
    assert list((vocabularies_dir() / "clip").iterdir()) == []


def test_another_commit_than_asked_for_is_refused(hub: FakeHub) -> None:
    words_on(hub)
    hub.commits.clear()
    with pytest.raises(ModelError, match="another commit"):
        fetch_vocabulary(online(), (Words.CLIP,))
    assert vocabulary_fetch.question_bytes((Words.CLIP,)) < 2_000_000


def test_the_switch_is_kept_with_the_settings() -> None:
    save_settings(Settings(offline=True), settings_path())
    assert main(["models", "offline"]) == 0
    with pytest.raises(UnavailableError, match="Work offline"):
        HttpHub(offline=True)


def test_without_a_network_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object, **__: object) -> NoReturn:
        raise OSError(101, "Network is unreachable")

    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, refused)
    monkeypatch.setattr(socket.socket, "connect", refused)
    assert main(["models", "download", REPOSITORY, "--yes"]) == 3
    assert "huggingface.co cannot be reached" in capsys.readouterr().err
    assert main(["models", "fetch-vocabulary", "sd15"]) == 3
    assert "cannot be reached" in capsys.readouterr().err


def test_a_site_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(UnavailableError, match=r"cannot be reached \(timed out\)"):
            HttpHub(offline=False, timeout_s=0.1).listing(REPOSITORY)


def test_the_libraries_of_the_engine_are_told_to_stay_offline_whatever_the_user_has_set() -> None:
    code = "import adstudio.engine, huggingface_hub.constants as hub; raise SystemExit(0 if hub.HF_HUB_OFFLINE else 1)"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "HF_HUB_OFFLINE": "0"}, check=False)
    assert done.returncode == 0
