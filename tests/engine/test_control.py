"""ControlNets: recognised, loaded from every layout, and steering as diffusers' own call does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor

from adstudio.cli import main
from adstudio.engine.backbones.base import Guidance
from adstudio.engine.backbones.build import empty_module
from adstudio.engine.backbones.parts import PromptEmbeddings
from adstudio.engine.control import ControlNet, load_control
from adstudio.engine.distillation import Distillation, Distiller
from adstudio.engine.noise import SeededNoise
from adstudio.engine.sample import Sampler, SampleSettings, SampleState, sample
from adstudio.engine.schedules import Level
from adstudio.errors import EngineError, JobError, ModelError
from adstudio.models.control import inspect_control, is_control
from adstudio.models.families import Family, Role
from adstudio.models.find_beside import find_control, require_fitting
from adstudio.models.inspect import inspect_model
from adstudio.models.shipped import shipped_config
from tests.engine.original_layout import unet_tensors
from tests.engine.tiny_models import tiny_model, write_folder
from tests.engine.tiny_parts import backbone, picture

CPU = torch.device("cpu")
HINT = (4, 8, 12, 12)[: len(tiny_model(Family.SD15).configs["vae"]["block_out_channels"])]  # to its latents' size
LEVEL = Level(timestep=401, signal=0.7, noise=0.714)
FAMILIES = [Family.SD15, Family.SDXL]


def tiny_control(unet: Any, seed: int = 1, *, hint: tuple[int, ...] = (4, 8, 8, 12)) -> Any:
    """A ControlNet for a UNet, whose last layers are not the zeros that training begins with.

    hint: channels of what reads the picture, as many as the VAE has levels: see `HINT`.
    """
    made: Any = ControlNetModel
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        control = made.from_unet(unet, conditioning_embedding_out_channels=hint)
        for parameter in control.parameters():
            if not parameter.any():
                parameter.data.normal_(std=0.3)
    return control.eval().requires_grad_(False)


def write_control(control: Any, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    config = {"_class_name": "ControlNetModel", **{k: v for k, v in control.config.items() if not k.startswith("_")}}
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tensors_of(control), folder / "diffusion_pytorch_model.safetensors")
    return folder


def tensors_of(control: Any) -> dict[str, Tensor]:
    return {name: tensor.contiguous().clone() for name, tensor in control.state_dict().items()}


def published_names(control: Any, levels: int, layers: int) -> dict[str, Tensor]:
    """A ControlNet as its first publisher named it, written from that layout."""
    own = {name: tensor for name, tensor in tensors_of(control).items() if not name.startswith("controlnet_")}
    named = unet_tensors(own, levels=levels, layers=layers)
    hint = ["conv_in", *(f"blocks.{index}" for index in range(6)), "conv_out"]
    for number, name in enumerate(hint):
        for leaf in ("weight", "bias"):
            named[f"input_hint_block.{2 * number}.{leaf}"] = control.controlnet_cond_embedding.state_dict()[
                f"{name}.{leaf}"
            ]
    for number, block in enumerate(control.controlnet_down_blocks):
        named |= {f"zero_convs.{number}.0.{leaf}": tensor for leaf, tensor in block.state_dict().items()}
    named |= {
        f"middle_block_out.0.{leaf}": tensor for leaf, tensor in control.controlnet_mid_block.state_dict().items()
    }
    return {f"control_model.{name}": tensor.contiguous().clone() for name, tensor in named.items()}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_steered_prediction_is_diffusers_own(family: Family, tmp_path: Path) -> None:
    model = backbone(family)
    unet: Any = model.networks[0]
    theirs = tiny_control(unet)
    mine = load_control(inspect_control(write_control(theirs, tmp_path / "control")), device=CPU, dtype=torch.float32)
    latents, shown = torch.randn(2, 4, 4, 6), picture(32, 48)
    positive = PromptEmbeddings(
        tokens=torch.randn(1, 5, 16), pooled=None if family is Family.SD15 else torch.randn(1, 8)
    )
    guidance = Guidance(positive=positive, scale=3.0, control=ControlNet(mine, shown, 0.6))
    found = model.predict(latents, LEVEL, guidance)

    empty = model.empty_prompt
    answers = []
    for prompt in (empty, positive):
        tokens = prompt.tokens.expand(2, -1, -1)
        added: dict[str, Any] = {}
        if prompt.pooled is not None:
            ids = torch.tensor([[32.0, 48, 0, 0, 32, 48]]).expand(2, 6)
            added = {"added_cond_kwargs": {"text_embeds": prompt.pooled.expand(2, -1), "time_ids": ids}}
        time = torch.tensor([401, 401])
        down, mid = theirs(
            latents, time, tokens, shown.expand(2, -1, -1, -1), conditioning_scale=0.6, return_dict=False, **added
        )
        residuals = {"down_block_additional_residuals": down, "mid_block_additional_residual": mid}
        answers.append(unet(latents, time, tokens, return_dict=False, **residuals, **added)[0])
    wanted = answers[0] + 3 * (answers[1] - answers[0])
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    plain = model.predict(latents, LEVEL, Guidance(positive=positive, scale=3.0))
    assert (plain - found).abs().max() > 1e-3


def test_guided_sampling_follows_the_control_picture() -> None:
    model = backbone(Family.SD15)
    control = ControlNet(tiny_control(model.networks[0]), picture(32, 32))
    results = []
    for steering in (control, None, control):
        sampler = Sampler(
            Distiller(model, Distillation(layers=model.default_layers)),
            [model.encode(picture(32, 32, 1))],
            None,
            Guidance(positive=model.empty_prompt, control=steering),
            SampleSettings(iterations=1),
            SeededNoise(0),
        )
        state = SampleState(latents=model.start_noise(sampler.noise, 1, 32, 32))
        *_, last = sample(sampler, model.schedule(3, None, 32, 32), state)
        results.append(last.latents)
    assert torch.equal(results[0], results[2])
    assert not torch.allclose(results[0], results[1], atol=1e-3)


@pytest.mark.parametrize("family", [Family.SD15, Family.SD2, Family.SDXL])
def test_folders_and_single_files_load_alike_and_are_recognised(family: Family, tmp_path: Path) -> None:
    theirs = tiny_control(tiny_model(family).parts["unet"])
    folder = write_control(theirs, tmp_path / "folder")
    file = tmp_path / "single.safetensors"
    save_file(tensors_of(theirs), file)
    (tmp_path / "single.json").write_text((folder / "config.json").read_text())
    for path in (folder, file):
        assert is_control(path)
        described = inspect_control(path)
        assert described.family is family
        loaded = cast("Any", load_control(described, device=CPU, dtype=torch.float32)).state_dict()
        for name, tensor in theirs.state_dict().items():
            assert torch.equal(loaded[name], tensor)


def test_a_file_with_the_first_publishers_names_loads_too(tmp_path: Path) -> None:
    theirs = tiny_control(tiny_model(Family.SD15).parts["unet"])
    file = tmp_path / "control_canny.safetensors"
    save_file(published_names(theirs, levels=2, layers=2), file)
    config = tmp_path / "control_canny.config" / "config.json"
    config.parent.mkdir()
    config.write_text((write_control(theirs, tmp_path / "folder") / "config.json").read_text())
    loaded = cast("Any", load_control(inspect_control(file), device=CPU, dtype=torch.float32)).state_dict()
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(loaded[name], tensor)


def test_inspect_says_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_control(tiny_control(tiny_model(Family.SDXL).parts["unet"]), tmp_path / "control")
    assert main(["models", "inspect", str(folder)]) == 0
    assert "ControlNet for Stable Diffusion XL" in capsys.readouterr().out
    assert main(["models", "inspect", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "control"


def test_a_control_must_fit_the_model(tmp_path: Path) -> None:
    model = inspect_model(write_folder(tiny_model(Family.SD15), tmp_path / "model"))
    fitting = inspect_control(write_control(tiny_control(tiny_model(Family.SD15).parts["unet"]), tmp_path / "a"))
    assert find_control(str(fitting.path), model) == fitting
    for wrong in (None, str(tmp_path / "nowhere")):
        with pytest.raises(JobError, match=r"control\.model"):
            find_control(wrong, model)
    foreign = inspect_control(write_control(tiny_control(tiny_model(Family.SDXL).parts["unet"]), tmp_path / "b"))
    with pytest.raises(JobError, match="ControlNet for Stable Diffusion XL"):
        require_fitting(foreign, model)
    wide = inspect_control(write_control(tiny_control(backbone(Family.SD15).networks[0]), tmp_path / "c"))
    with pytest.raises(JobError, match="do not fit"):
        require_fitting(wide, model)


def test_what_is_no_control_is_refused_in_words(tmp_path: Path) -> None:
    model = write_folder(tiny_model(Family.SD15), tmp_path / "model")
    assert not is_control(model)
    assert not is_control(tmp_path / "nowhere.safetensors")
    with pytest.raises(ModelError, match=r"no config\.json"):
        inspect_control(model)
    with pytest.raises(ModelError, match="is no ControlNet"):
        inspect_control(model / "unet" / "diffusion_pytorch_model.safetensors")
    with pytest.raises(ModelError, match="there is no such"):
        inspect_control(tmp_path / "nowhere.safetensors")
    union = tmp_path / "union.safetensors"
    theirs = tiny_control(tiny_model(Family.SDXL).parts["unet"])
    save_file({**tensors_of(theirs), "task_embedding": torch.zeros(2)}, union)
    with pytest.raises(ModelError, match="union"):
        inspect_control(union)
    folder = write_control(theirs, tmp_path / "control")
    config = json.loads((folder / "config.json").read_text())
    for changed in ({"_class_name": "Evil"}, {"auto_map": {"a": "b"}}, {"block_out_channels": [10**9]}):
        (folder / "config.json").write_text(json.dumps(config | changed))
        with pytest.raises(ModelError):
            inspect_control(folder)


def test_a_file_of_unusual_sizes_asks_for_its_config(tmp_path: Path) -> None:
    """A tiny one is of no published size, and the message names the file that would help."""
    theirs = tiny_control(tiny_model(Family.SD15).parts["unet"])
    file = tmp_path / "odd.safetensors"
    save_file(tensors_of(theirs), file)
    with pytest.raises(ModelError, match=r"odd\.json"):
        inspect_control(file)


def test_a_window_of_another_size_is_refused_with_the_way_out() -> None:
    model = backbone(Family.SD15)
    control = ControlNet(tiny_control(model.networks[0]), picture(32, 32))
    with pytest.raises(EngineError, match="method sample"):
        model.predict(torch.randn(1, 4, 4, 6), LEVEL, Guidance(positive=model.empty_prompt, control=control))


@pytest.mark.parametrize("family", [Family.SD15, Family.SD2, Family.SDXL])
def test_published_sizes_are_read_off_a_file_without_a_config(family: Family, tmp_path: Path) -> None:
    """A header of a ControlNet of full size, with a hole in place of the weights."""
    made: Any = ControlNetModel
    unet: Any = UNet2DConditionModel
    config = {k: v for k, v in shipped_config(family.value, Role.UNET).items() if k != "_class_name"}
    with torch.device("meta"):
        control = made.from_unet(unet.from_config(config), load_weights_from_unet=False)
    start, header = 0, {}
    for name, tensor in control.state_dict().items():
        header[name] = {
            "dtype": "F16",
            "shape": list(tensor.shape),
            "data_offsets": [start, start + 2 * tensor.numel()],
        }
        start += 2 * tensor.numel()
    text = json.dumps(header).encode()
    file = tmp_path / "full.safetensors"
    with file.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        stream.truncate(8 + len(text) + start)
    described = inspect_control(file)
    assert described.family is family
    wanted = {name: tensor.shape for name, tensor in control.state_dict().items()}
    assert {name: t.shape for name, t in empty_module(described.component).state_dict().items()} == wanted
