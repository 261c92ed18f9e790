"""What models do for the loops: features, seams, sizes, decoders, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from adstudio.engine.backbones.base import Guidance
from adstudio.engine.decoder_tuning import TuningSettings, tune_decoder, tuned
from adstudio.engine.interruption import Interrupted, interruptible
from adstudio.engine.noise import SeededNoise
from adstudio.errors import EngineError, JobError
from adstudio.jobs.choices import Seamless
from adstudio.models.families import Family
from tests.engine.tiny_parts import backbone, picture, traces


def test_a_stop_is_noticed_in_the_backward_pass() -> None:
    model = backbone(Family.SD15)
    latents = model.encode(picture(32, 32)).requires_grad_()
    stopping = False
    with interruptible(model.networks, lambda: stopping), model.reading(model.default_layers) as read:
        loss = read(latents, 401).outputs[-1].sum()
        stopping = True
        with pytest.raises(Interrupted):
            torch.autograd.grad(loss, latents)


@pytest.mark.parametrize("axes", [Seamless.X, Seamless.Y, Seamless.BOTH])
def test_seamless_decoding_commutes_with_rolling_along_its_axes(axes: Seamless) -> None:
    model = backbone(Family.SD15)
    before = traces(model)
    latents = torch.randn(1, 4, 6, 5, generator=torch.Generator().manual_seed(0))
    rolled = {Seamless.X: (0, 2), Seamless.Y: (3, 0), Seamless.BOTH: (3, 2)}[axes]
    with model.seamless(axes):
        straight, moved = model.decode(latents), model.decode(latents.roll(rolled, (2, 3)))
        encoded = model.encode(picture(32, 32))
    torch.testing.assert_close(straight.roll([8 * by for by in rolled], (2, 3)), moved, rtol=1e-4, atol=1e-5)
    assert torch.equal(encoded, model.encode(picture(32, 32))), "references are encoded without wrapping"
    assert traces(model) == before


def test_seamless_is_undone_by_an_exception_and_refused_for_flux() -> None:
    model = backbone(Family.SD15)
    before = traces(model)
    with pytest.raises(ZeroDivisionError), model.seamless(Seamless.BOTH):
        raise ZeroDivisionError
    assert traces(model) == before
    with pytest.raises(JobError, match="FLUX cannot"), backbone(Family.FLUX).seamless(Seamless.X):
        pass


def test_tuning_brings_the_decoder_nearer_and_leaves_the_vae() -> None:
    model: Any = backbone(Family.SD15)
    before = traces(model)
    vae, image = model.networks[1], picture(32, 32)
    states = []
    for state in tune_decoder(vae, [image], TuningSettings(steps=6, learning_rate=1e-3)):
        states.append(float(state.loss))
        weights = {name: value.clone() for name, value in state.weights.items()}
    assert states[-1] < states[0]
    assert traces(model) == before
    plain = model.decode(model.encode(image))
    with tuned(vae, weights):
        better = model.decode(model.encode(image))
    assert (better - image).abs().mean() < (plain - image).abs().mean()
    assert torch.equal(model.decode(model.encode(image)), plain)
    with pytest.raises(ValueError, match="another decoder"), tuned(vae, {}):
        pass


def test_layers_the_model_does_not_have_are_refused() -> None:
    model = backbone(Family.SD15)
    with pytest.raises(JobError, match="layers 0 to"), model.reading([0, 99]):
        pass


def test_layers_with_attention_of_their_own_are_refused() -> None:
    model = backbone(Family.SD15)

    class Strange:
        def __call__(self, *_: Any, **__: Any) -> None:
            raise AssertionError

    module: Any = model.networks[0].get_submodule(model.layer_names[-1])
    module.set_processor(Strange())
    with pytest.raises(EngineError, match="way of its own"), model.reading(model.default_layers):
        pass


def test_flux_refuses_negative_prompts() -> None:
    model = backbone(Family.FLUX)
    guidance = Guidance(positive=model.empty_prompt, negative=model.empty_prompt)
    level = model.schedule(2, None, 32, 32).levels[0]
    with pytest.raises(JobError, match="no negative prompt"):
        model.predict(model.start_noise(SeededNoise(0), 1, 32, 32), level, guidance)


def test_flux_reference_keys_stand_beside_the_picture_unless_plain() -> None:
    from adstudio.engine.backbones.flux_attention import Positions

    found = {}
    for positions in Positions:
        model = backbone(Family.FLUX, positions=positions)
        latents = model.encode(picture(32, 32))
        with torch.no_grad(), model.reading(model.default_layers) as read:
            own, other = read(latents, 401.0), read(latents, 401.0, beside=(2, 5))
        found[positions] = own.keys[0], other.keys[0]
        text = own.text_tokens
        assert torch.equal(own.keys[0][:, :, :text], other.keys[0][:, :, :text])
        assert torch.equal(own.outputs[0], other.outputs[0]), "the pass itself is not disturbed"
    assert torch.equal(*found[Positions.PLAIN])
    assert not torch.allclose(*found[Positions.SHIFTED])
    assert not torch.allclose(*found[Positions.DAMPED])
    plain, shifted = found[Positions.SHIFTED]
    torch.testing.assert_close(plain.norm(dim=-1), shifted.norm(dim=-1))
    assert (found[Positions.DAMPED][1].norm(dim=-1) <= plain.norm(dim=-1) + 1e-5).all()


def test_sdxl_is_told_the_size_of_what_it_sees() -> None:
    model: Any = backbone(Family.SDXL)
    told = []
    embedding = model.networks[0].add_time_proj
    handle = embedding.register_forward_pre_hook(lambda _module, inputs: told.append(inputs[0].tolist()))
    with torch.no_grad(), model.reading(model.default_layers) as read:
        read(model.encode(picture(32, 64)), 401, beside=(9, 9))
    handle.remove()
    assert told == [[32.0, 64.0, 0.0, 0.0, 32.0, 64.0]]
