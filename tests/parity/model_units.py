"""Replays unit goldens of whole models: text, denoiser, VAE and the tuning of its decoder."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from adstudio.engine.backbones.base import Backbone
from adstudio.engine.backbones.flux import Flux, image_positions, packed, unpacked
from adstudio.engine.backbones.parts import PromptEmbeddings
from adstudio.engine.backbones.stable_diffusion import StableDiffusion
from adstudio.engine.backbones.text import encode_prompt, token_ids_of
from adstudio.engine.decoder_tuning import TuningSettings, tune_decoder
from adstudio.jobs.choices import Seamless
from adstudio.models.families import Family
from tests.parity.models import Models, backbone_of, with_empty
from tests.parity.pictures import load_picture
from tests.parity.recorded import BadCaseError, Case
from tests.parity.report import Report, relative_l2

WHOLE = 1e-5
_TILINGS = {"enable": Seamless.BOTH, "x_only": Seamless.X, "y_only": Seamless.Y}


def replay_model(case: Case, models: Models, report: Report) -> None:
    """Everything recorded of one family's model; the model is tiny-FAMILY."""
    family = case.name.rpartition("_")[2]
    name = f"tiny-{family}"
    parts = models.parts(name)
    prompts = _check_text(case, models, name, report)
    backbone = backbone_of(with_empty(parts, prompts[0]))
    if "self_attention_layers" in case.facts:
        report.equal("self_attention_layers", list(backbone.layer_names), case.facts["self_attention_layers"])
    if isinstance(backbone, Flux):
        _check_transformer(case, backbone, prompts[-1], report)
    elif isinstance(backbone, StableDiffusion):
        _check_unet(case, backbone, prompts, report)
    _check_vae(case, backbone, "", report)
    for tiling, axes in _TILINGS.items():
        if any(array.startswith(f"tiling_{tiling}_") for array in case.arrays):
            with backbone.seamless(axes):
                _check_vae(case, backbone, f"tiling_{tiling}_", report)
                if isinstance(backbone, StableDiffusion):
                    _check_unet(case, backbone, prompts, report, f"tiling_{tiling}_")


def _check_text(case: Case, models: Models, name: str, report: Report) -> list[PromptEmbeddings]:
    text = models.text(name)
    family = models.parts(name).family
    ids = {Family.SDXL: ("clip_ids", "clip2_ids"), Family.FLUX: ("clip_ids", "t5_ids")}.get(family, ("clip_ids",))
    tokens, pooled = ("t5_embeds", "clip_pooled") if family is Family.FLUX else ("embeds", "pooled")
    found = []
    for index, prompt in enumerate(case.facts["prompts"]):
        for array, tokenizer in zip(ids, text.tokenizers, strict=True):
            wanted = case.tensor(f"{array}_{index}").tolist()
            report.equal(array, list(token_ids_of(tokenizer, prompt)), wanted)
        embeddings = encode_prompt(text, family, prompt)
        report.relative(tokens, embeddings.tokens, case.tensor(f"{tokens}_{index}"), WHOLE)
        if embeddings.pooled is not None:
            report.relative(pooled, embeddings.pooled, case.tensor(f"{pooled}_{index}"), WHOLE)
        found.append(embeddings)
    return found


def _check_unet(
    case: Case, backbone: StableDiffusion, prompts: list[PromptEmbeddings], report: Report, prefix: str = ""
) -> None:
    """The record does not say which prompt the UNet was told, so the nearest counts."""
    latents = case.tensor("unet_in")
    size = latents.shape[-2], latents.shape[-1]
    if "time_ids" in case.arrays:
        told = case.tensor("time_ids")[0]
        size = int(told[0]) // backbone.latent_px, int(told[1]) // backbone.latent_px
    for name in [name for name in case.arrays if name.startswith(f"{prefix}unet_t")]:
        wanted = case.tensor(name)
        timestep = int(name.removeprefix(f"{prefix}unet_t"))
        with torch.no_grad():
            answers = [backbone.network(latents, timestep, prompt, size) for prompt in prompts]
        nearest = min(answers, key=lambda answer: relative_l2(answer, wanted))
        report.relative(f"{prefix}unet", nearest, wanted, WHOLE)


def _check_transformer(case: Case, backbone: Flux, prompt: PromptEmbeddings, report: Report) -> None:
    report.relative("pack", _tokens(packed(case.tensor("pack_in"))), case.tensor("pack_out"), WHOLE)
    columns = int(case.tensor("img_ids")[:, 2].max()) + 1
    rows = len(case.tensor("img_ids")) // columns
    report.relative("img_ids", image_positions(rows, columns), case.tensor("img_ids"), WHOLE)
    x = case.tensor("x")
    latents = x.transpose(1, 2).reshape(len(x), x.shape[2], rows, columns)
    for name in [name for name in case.arrays if name.startswith("transformer_t")]:
        share, scale = name.removeprefix("transformer_t").split("_g")
        with torch.no_grad():
            answer = backbone.network(latents, float(share) * 1000, prompt, float(scale))
        report.relative("transformer", _tokens(answer), case.tensor(name), WHOLE)


def _tokens(latents: Tensor) -> Tensor:
    return latents.flatten(2).transpose(1, 2)


def _check_vae(case: Case, backbone: Backbone, prefix: str, report: Report) -> None:
    vae: Any = backbone.networks[1]
    scale, shift = vae.config.scaling_factor, vae.config.shift_factor or 0.0
    flux = isinstance(backbone, Flux)
    if f"{prefix}vae_mean" in case.arrays:
        image = case.tensor("vae_in")
        with torch.no_grad():
            distribution = vae.encode(image * 2 - 1).latent_dist if image.min() >= 0 else vae.encode(image).latent_dist
        report.relative(f"{prefix}vae_mean", distribution.mean, case.tensor(f"{prefix}vae_mean"), WHOLE)
        if f"{prefix}vae_logvar" in case.arrays:
            report.relative(f"{prefix}vae_logvar", distribution.logvar, case.tensor(f"{prefix}vae_logvar"), WHOLE)
        if image.min() >= 0 and not flux:
            mean = backbone.encode(image) / scale + shift
            report.relative(f"{prefix}encode", mean, case.tensor(f"{prefix}vae_mean"), WHOLE)
    if f"{prefix}vae_decode_out" in case.arrays:
        latents = case.tensor("vae_decode_in") if flux else case.tensor("unet_in")
        wanted = case.tensor(f"{prefix}vae_decode_out")
        with torch.no_grad():
            raw = vae.decode(latents / scale + shift, return_dict=False)[0]
        report.relative(f"{prefix}vae_decode", raw, wanted, WHOLE)
        decoded = backbone.decode(packed(latents) if flux else latents)
        report.relative(f"{prefix}decode", decoded, (wanted / 2 + 0.5).clamp(0, 1), WHOLE)
    if flux and not prefix and "pack_in" in case.arrays:
        report.absolute("unpack", unpacked(packed(case.tensor("pack_in"))), case.tensor("pack_in"), 0)


def replay_tuning(case: Case, models: Models, report: Report) -> None:
    """Decoder tuning on style1_128x128.png at 512 × 512; losses before each step, parameters after the last."""
    image = load_picture(models.images / "style1_128x128.png", (512, 512))
    wanted = case.tensor("losses")
    parts = models.parts("tiny-sd15")
    losses, weights = [], {}
    for state in tune_decoder(parts.vae, [image], TuningSettings(steps=len(wanted), learning_rate=1e-4)):
        losses.append(float(state.loss))
        weights = {name: value.clone() for name, value in state.weights.items()}
    report.relative("losses", torch.tensor(losses, dtype=torch.float64), wanted, WHOLE)
    changed = [name for name in case.arrays if name.startswith("after/decoder.")]
    if not changed:
        raise BadCaseError("no tuned parameters were recorded")
    for name in changed:
        report.relative("after", weights[name.removeprefix("after/decoder.")], case.tensor(name), WHOLE)
    report.absolute("after (largest)", *_stacked(case, changed, weights), 4e-4)


def _stacked(case: Case, names: list[str], weights: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    found = torch.cat([weights[name.removeprefix("after/decoder.")].flatten() for name in names])
    return found, torch.cat([case.tensor(name).flatten() for name in names])
