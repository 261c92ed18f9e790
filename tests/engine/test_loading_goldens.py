"""Loading against numbers recorded from the authors' code on tiny models; skipped where the records are not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adstudio.engine.backbones.loading import load_parts
from adstudio.engine.backbones.text import encode_prompt, token_ids_of
from adstudio.models.families import Family
from adstudio.models.inspect import inspect_model

GOLDENS = Path(__file__).resolve().parents[3] / "shared" / "goldens"
EMPTY = {
    Family.SD15: ("embeds_0", None),
    Family.SDXL: ("embeds_0", "pooled_0"),
    Family.FLUX: ("t5_embeds_0", "clip_pooled_0"),
}

pytestmark = pytest.mark.skipif(not (GOLDENS / "models").is_dir(), reason="the recorded models are not here")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def recorded(family: Family) -> dict[str, np.ndarray[Any, Any]]:
    with np.load(GOLDENS / "cases" / f"unit_models_{family}.npz") as arrays:
        return dict(arrays)


@pytest.mark.parametrize("family", list(EMPTY))
def test_the_empty_prompt_and_the_vae_are_as_recorded(family: Family) -> None:
    model = inspect_model(GOLDENS / "models" / f"tiny-{family}")
    assert model.family is family
    parts = load_parts(model, device=torch.device("cpu"), dtype=torch.float32)
    arrays = recorded(family)
    tokens, pooled = EMPTY[family]
    assert np.abs(parts.empty_prompt.tokens.numpy() - arrays[tokens]).max() <= 1e-5
    if pooled is None:
        assert parts.empty_prompt.pooled is None
    else:
        assert parts.empty_prompt.pooled is not None
        assert np.abs(parts.empty_prompt.pooled.numpy() - arrays[pooled]).max() <= 1e-5
    vae: Any = parts.vae
    with torch.no_grad():
        mean = vae.encode(2 * torch.from_numpy(arrays["vae_in"]) - 1).latent_dist.mean
    assert np.abs(mean.numpy() - arrays["vae_mean"]).max() <= 1e-4


@pytest.mark.parametrize("family", list(EMPTY))
def test_prompts_and_their_embeddings_are_as_recorded(family: Family) -> None:
    model = inspect_model(GOLDENS / "models" / f"tiny-{family}")
    text = load_parts(model, device=torch.device("cpu"), dtype=torch.float32, prompts=True).text
    assert text is not None
    arrays = recorded(family)
    prompts = json.loads((GOLDENS / "cases" / f"unit_models_{family}.json").read_bytes())["prompts"]
    names = {Family.SDXL: ("clip_ids", "clip2_ids"), Family.FLUX: ("clip_ids", "t5_ids")}.get(family, ("clip_ids",))
    tokens, pooled = (name and name.removesuffix("_0") for name in EMPTY[family])
    for number, prompt in enumerate(prompts):
        for name, tokenizer in zip(names, text.tokenizers, strict=True):
            assert token_ids_of(tokenizer, prompt) == tuple(arrays[f"{name}_{number}"])
        found = encode_prompt(text, family, prompt)
        assert np.abs(found.tokens.numpy() - arrays[f"{tokens}_{number}"]).max() <= 1e-5
        if pooled is not None and found.pooled is not None:
            assert np.abs(found.pooled.numpy() - arrays[f"{pooled}_{number}"]).max() <= 1e-5
