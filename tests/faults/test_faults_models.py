"""Faults 17 to 19: hostile and damaged model files, and files that go away."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import socket
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch

from adstudio.cli import main
from adstudio.engine.backbones import weights as weights_room
from adstudio.engine.backbones.loading import load_parts
from adstudio.engine.backbones.weights import TensorReader
from adstudio.errors import AdStudioError, ModelError, StorageError, UnavailableError
from adstudio.models.families import Family
from adstudio.models.find import find_model
from adstudio.models.inspect import inspect_model
from adstudio.models.library import Health, add_to_library, load_library
from tests.engine.tiny_models import tiny_model, write_folder, write_single_file

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every way to a network is closed, and trying one fails the test."""
    asked: list[str] = []

    def refuse(name: str) -> Callable[..., NoReturn]:
        def refused(*arguments: object, **_named: object) -> NoReturn:
            asked.append(f"{name}{arguments}")
            raise OSError(f"{name} is not allowed here")

        return refused

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse(name), raising=False)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse(name))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield asked
    assert asked == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tiny_model(Family.SD15), tmp_path / "model")


def load(path: Path, **named: Any) -> Any:
    return load_parts(inspect_model(path), device=CPU, dtype=torch.float32, **named)


class Burglar:
    """Unpickling it leaves a trace on the disk."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trace),)


def pickled(path: Path, trace: Path) -> None:
    path.write_bytes(pickle.dumps(Burglar(trace)))


def zipped(path: Path, trace: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Burglar(trace)))


@pytest.mark.parametrize("name", ["model.ckpt", "model.pt", "model.safetensors"])
@pytest.mark.parametrize("write", [pickled, zipped])
def test_fault_17_a_pickle_is_refused_and_not_opened(
    tmp_path: Path, name: str, write: Callable[[Path, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "trace"
    write(tmp_path / name, trace)
    with pytest.raises(ModelError, match="pickle"):
        inspect_model(tmp_path / name)
    assert main(["models", "add", str(tmp_path / name)]) == 2
    assert "pickle" in capsys.readouterr().err
    assert not trace.exists()


def test_fault_17_a_pickle_in_the_place_of_weights_is_refused_and_not_opened(folder: Path, tmp_path: Path) -> None:
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    trace = tmp_path / "trace"
    pickled(weights, trace)
    with pytest.raises(ModelError, match="pickle"):
        inspect_model(folder)
    weights.unlink()
    pickled(folder / "unet" / "diffusion_pytorch_model.bin", trace)
    with pytest.raises(ModelError, match=r"diffusion_pytorch_model\.bin: is a pickle"):
        inspect_model(folder)
    assert not trace.exists()


@pytest.mark.parametrize("layout", ["folder", "file"])
@pytest.mark.parametrize("left", [0.0, 0.001, 0.3, 0.999])
def test_fault_17_weights_that_are_cut_short_are_refused(tmp_path: Path, layout: str, left: float) -> None:
    tiny = tiny_model(Family.SD15)
    if layout == "folder":
        path = write_folder(tiny, tmp_path / "model")
        weights = path / "unet" / "diffusion_pytorch_model.safetensors"
    else:
        path = weights = write_single_file(tiny, tmp_path / "model.safetensors")
    content = weights.read_bytes()
    weights.write_bytes(content[: int(len(content) * left)])
    with pytest.raises(ModelError) as refused:
        inspect_model(path)
    assert str(weights) in str(refused.value)
    assert "download it again" in str(refused.value)


def test_fault_17_shapes_that_lie_are_refused(folder: Path) -> None:
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    content = weights.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["conv_in.weight"]["shape"] = list(reversed(header["conv_in.weight"]["shape"]))
    text = json.dumps(header, separators=(",", ":")).encode()
    weights.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
    with pytest.raises(ModelError, match=r"diffusion_pytorch_model\.safetensors: conv_in\.weight has the shape"):
        load(folder)


HOSTILE_CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "code of its own": ("unet/config.json", {"auto_map": {"AutoModel": "evil.Model"}}),
    "code further in": ("text_encoder/config.json", {"task_specific_params": {"a": {"auto_map": "evil.Model"}}}),
    "trusting": ("vae/config.json", {"trust_remote_code": True}),
    "custom pipeline": ("model_index.json", {"custom_pipeline": "evil/pipeline"}),
    "pipeline class of its own": ("model_index.json", {"_class_name": ["pipeline", "Evil"]}),
    "part of its own": ("model_index.json", {"safety_checker": ["pipeline", "Evil"]}),
    "unknown pipeline": ("model_index.json", {"_class_name": "EvilPipeline"}),
    "unknown class": ("unet/config.json", {"_class_name": "EvilModel"}),
    "another class": ("vae/config.json", {"_class_name": "UNet2DConditionModel"}),
    "unknown text class": ("text_encoder/config.json", {"architectures": ["EvilModel"]}),
    "unknown scheduler": ("scheduler/scheduler_config.json", {"_class_name": "EvilScheduler"}),
    "beta above 1": ("scheduler/scheduler_config.json", {"beta_end": 9.0}),
    "beta not a number": ("scheduler/scheduler_config.json", {"beta_start": float("nan")}),
    "unknown prediction": ("scheduler/scheduler_config.json", {"prediction_type": "sample"}),
    "absurd steps": ("scheduler/scheduler_config.json", {"num_train_timesteps": 10**9}),
    "absurd width": ("unet/config.json", {"block_out_channels": [10**9, 10**9]}),
    "absurd depth": ("unet/config.json", {"layers_per_block": 10**9}),
    "absurd list": ("unet/config.json", {"block_out_channels": [8] * 10_000}),
    "absurd heads": ("unet/config.json", {"attention_head_dim": -1}),
    "absurd blocks": ("unet/config.json", {"transformer_layers_per_block": 10**6}),
    "absurd vocabulary": ("text_encoder/config.json", {"vocab_size": 10**12}),
    "absurd layers": ("text_encoder/config.json", {"num_hidden_layers": 10**6}),
    "not a number": ("vae/config.json", {"scaling_factor": float("nan")}),
    "unknown block": ("unet/config.json", {"down_block_types": ["EvilBlock", "DownBlock2D"]}),
    "unknown activation": ("text_encoder/config.json", {"hidden_act": "evil"}),
    "a word for a number": ("unet/config.json", {"norm_num_groups": "4"}),
    "true for a number": ("unet/config.json", {"layers_per_block": True}),
    "quantised": ("unet/config.json", {"quantization_config": {"quant_method": "evil"}}),
}


@pytest.mark.parametrize("kind", list(HOSTILE_CONFIGS))
def test_fault_18_a_hostile_config_is_refused_by_file(kind: str, folder: Path) -> None:
    name, change = HOSTILE_CONFIGS[kind]
    path = folder / name
    config = json.loads(path.read_text())
    if "architectures" in change:
        config.pop("_class_name", None)
    path.write_text(json.dumps({**config, **change}))
    with pytest.raises(ModelError) as refused:
        inspect_model(folder)
    assert str(refused.value).startswith(f"{path}: ")


def test_fault_18_what_a_config_need_not_say_never_reaches_a_constructor(folder: Path) -> None:
    path = folder / "unet" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "_name_or_path": "evil/model", "unheard_of": "../../x"}))
    assert "unheard_of" not in inspect_model(folder).denoiser.config
    assert load(folder).denoiser.config.get("_name_or_path") != "evil/model"


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"a":' * 5000, b"\xff\xfe", b" " * (5 << 20)])
def test_fault_18_a_config_that_is_no_config_is_refused(folder: Path, content: bytes) -> None:
    for name in ("model_index.json", "unet/config.json"):
        kept = (folder / name).read_bytes()
        (folder / name).write_bytes(content)
        with pytest.raises(ModelError, match=r"\.json: "):
            inspect_model(folder)
        (folder / name).write_bytes(kept)


@pytest.mark.parametrize("name", ["../../secret.safetensors", "/etc/passwd", "a\\b.safetensors", ".hidden", "", 7])
def test_fault_18_an_index_cannot_lead_out_of_its_folder(tmp_path: Path, name: Any) -> None:
    folder = write_folder(tiny_model(Family.SD15), tmp_path / "model", shards=2)
    index = folder / "unet" / "diffusion_pytorch_model.safetensors.index.json"
    mapping = json.loads(index.read_text())
    mapping["weight_map"][next(iter(mapping["weight_map"]))] = name
    index.write_text(json.dumps(mapping))
    with pytest.raises(ModelError, match="index"):
        inspect_model(folder)


def test_fault_18_sizes_that_no_file_backs_take_no_memory(folder: Path) -> None:
    path = folder / "text_encoder" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "hidden_size": 16_384, "num_attention_heads": 2, "vocab_size": 2_000_000}))
    with pytest.raises(ModelError, match="different models"):
        load(folder)


def test_fault_18_python_files_beside_a_model_are_never_run(folder: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    code = f"import os; os.mkdir({str(trace)!r})"
    for name in ("pipeline.py", "unet/unet.py", "unet/__init__.py", "conftest.py"):
        (folder / name).write_text(code)
    load(folder)
    assert not trace.exists()


def test_fault_18_sound_models_are_loaded_without_asking_anyone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for family in Family:
        load(write_folder(tiny_model(family), tmp_path / f"{family}"))
        load(write_single_file(tiny_model(family), tmp_path / f"{family}.safetensors"))


def test_fault_19_a_model_on_an_absent_drive_is_shown_offline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = tmp_path / "drive"
    write_folder(tiny_model(Family.SD15), drive / "painter")
    write_folder(tiny_model(Family.SDXL), tmp_path / "here")
    add_to_library(drive)
    add_to_library(tmp_path / "here")
    drive.rename(tmp_path / "unplugged")
    entries = {entry.name: entry for entry in load_library().entries}
    assert (entries["painter"].health, entries["painter"].family) == (Health.OFFLINE, Family.SD15)
    assert entries["here"].health is Health.READY
    with pytest.raises(UnavailableError, match=r'"painter" is offline: .*painter: is not there'):
        find_model("painter")
    assert main(["models", "list"]) == 0
    assert "offline" in capsys.readouterr().out
    (tmp_path / "unplugged").rename(drive)
    assert find_model("painter").family is Family.SD15


@pytest.mark.parametrize("layout", ["folder", "file"])
def test_fault_19_a_file_deleted_before_it_is_opened_is_named(tmp_path: Path, layout: str) -> None:
    tiny = tiny_model(Family.SD15)
    if layout == "folder":
        path = write_folder(tiny, tmp_path / "model")
        gone = path / "vae" / "diffusion_pytorch_model.safetensors"
    else:
        path = gone = write_single_file(tiny, tmp_path / "model.safetensors")
    model = inspect_model(path)
    gone.unlink()
    with pytest.raises(StorageError) as failed:
        load_parts(model, device=CPU, dtype=torch.float32)
    assert str(gone) in str(failed.value)
    assert load(write_folder(tiny, tmp_path / "next")).family is Family.SD15


def test_fault_19_a_file_cut_or_unplugged_while_it_is_read_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = TensorReader.read
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    content = weights.read_bytes()

    def cutting(self: TensorReader, name: str, *arguments: Any, **named: Any) -> torch.Tensor:
        if self.path == weights and name == "decoder.conv_out.weight":
            os.truncate(weights, 4096)
        return read(self, name, *arguments, **named)

    monkeypatch.setattr(TensorReader, "read", cutting)
    with pytest.raises(StorageError, match=r"vae.*became shorter while it was read"):
        load(folder)
    weights.write_bytes(content)
    monkeypatch.setattr(TensorReader, "read", read)

    def unplugged(memory: memoryview, path: Path, stream: Any, start: int) -> None:
        class Stream:
            def seek(self, _place: int) -> None:
                raise OSError(5, "Input/output error")

        fill(memory, path, Stream(), start)  # type: ignore[arg-type]

    fill = weights_room._fill
    monkeypatch.setattr(weights_room, "_fill", unplugged)
    with pytest.raises(StorageError, match="cannot be read any more"):
        load(folder)
    monkeypatch.setattr(weights_room, "_fill", fill)
    assert load(folder).family is Family.SD15


def test_fault_19_weights_of_another_architecture_are_refused_by_path(tmp_path: Path) -> None:
    folder = write_folder(tiny_model(Family.SD15), tmp_path / "model")
    other = write_folder(tiny_model(Family.SD2), tmp_path / "other")
    shutil.copy(other / "unet" / "diffusion_pytorch_model.safetensors", folder / "unet")
    with pytest.raises(ModelError, match=r"model/unet/diffusion_pytorch_model\.safetensors: .*different models"):
        load(folder)
    shutil.copy(folder / "vae" / "diffusion_pytorch_model.safetensors", folder / "unet")
    with pytest.raises(ModelError, match=r"model/unet/diffusion_pytorch_model\.safetensors: "):
        load(folder)


def test_fault_19_a_model_with_weights_left_out_is_refused_by_path(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    del tensors["conv_out.weight"]
    save_file(tensors, weights)
    with pytest.raises(
        AdStudioError, match=r"diffusion_pytorch_model\.safetensors: lacks conv_out\.weight of the UNet"
    ):
        load(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes that are files are for POSIX")
def test_17_a_pipe_in_place_of_weights_is_refused_and_not_waited_for(folder: Path) -> None:
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.unlink()
    os.mkfifo(weights)
    with pytest.raises(ModelError, match="is a pipe or a device"):
        inspect_model(folder)
