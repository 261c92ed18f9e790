"""Attention features of a denoiser, taken by attention processors that stand in only for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from torch import Tensor, nn

from adstudio.engine.losses import AttentionFunction, sdpa
from adstudio.errors import EngineError, JobError

_REPLACEABLE = {"AttnProcessor", "AttnProcessor2_0", "XFormersAttnProcessor", "FluxAttnProcessor"}


class Need(Enum):
    """What of a layer is asked for; the pass ends as soon as the last layer has given it."""

    ALL = "all"
    KEYS_VALUES = "keys_values"
    QUERIES = "queries"


@dataclass(frozen=True, slots=True, eq=False)
class LayerFeatures:
    """One layer's attention, each [batch, heads, tokens, head_dim].

    output: before the output projection; None in the last layer when only queries, keys or values were asked for.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    output: Tensor | None


class AttentionLayer(Protocol):
    """A processor that may take the place of a layer's own: it computes the same and records on the way."""

    def __call__(self, attn: Any, hidden_states: Tensor, *arguments: Any, **keywords: Any) -> Any:
        """See diffusers' attention processors."""
        ...


class _Reached(Exception):  # noqa: N818 - a way out of the forward pass, no error
    """The last layer of interest has given what was asked for."""


class Recorder:
    """Collects the features of chosen layers while they pass; made by `recording`.

    attend: the attention function that the replaced layers compute with.
    """

    def __init__(self, count: int, attend: AttentionFunction) -> None:
        self.attend = attend
        self.reference_key: Callable[[Tensor, Tensor], Tensor] | None = None
        self._count = count
        self._need: Need | None = None
        self._found: dict[int, LayerFeatures] = {}

    def attention(self, index: int | None, query: Tensor, key: Tensor, value: Tensor, stored_key: Tensor) -> Tensor:
        """The layer's output [batch, heads, tokens, head_dim]; records it if this layer is wanted and not yet taken.

        index: position among the chosen layers, or None for a layer that is not one of them.
        stored_key: the key to record, usually `key`.
        A recompute under gradient checkpointing comes by again, with nobody asking, and is not recorded.
        """
        need = self._need
        wanted = need is not None and index is not None and index not in self._found
        if wanted and need is not Need.ALL and len(self._found) == self._count - 1:
            assert index is not None
            self._found[index] = LayerFeatures(query, stored_key, value, None)
            raise _Reached
        output = self.attend(query, key, value, None)
        if wanted:
            assert index is not None
            self._found[index] = LayerFeatures(query, stored_key, value, output)
            if len(self._found) == self._count:
                raise _Reached
        return output

    def run(self, forward: Callable[[], object], need: Need) -> tuple[LayerFeatures, ...]:
        """Features of the chosen layers, in execution order, from a forward pass that ends after the last of them.

        Raises EngineError when the pass ended without reaching all of them.
        """
        self._need, self._found = need, {}
        try:
            forward()
        except _Reached:
            return tuple(self._found[index] for index in range(self._count))
        finally:
            self._need, self._found = None, {}
        raise EngineError("the model did not run through all the layers that were asked for; choose other layers")


ProcessorFactory = Callable[[Recorder, int | None], AttentionLayer]


@contextlib.contextmanager
def recording(
    denoiser: nn.Module,
    names: Sequence[str],
    processor: ProcessorFactory,
    attend: AttentionFunction = sdpa,
    others: Sequence[str] = (),
) -> Iterator[Recorder]:
    """Let chosen self-attention layers record; on leaving, also by an exception, each has its own processor back.

    Stay inside until the gradient is taken: gradient checkpointing runs the layers again in the backward pass.
    names: modules in execution order. others: further modules that shall compute with `attend`.
    Raises EngineError when a layer has a processor that does more than attention.
    """
    recorder = Recorder(len(names), attend)
    replaced: list[tuple[Any, Any]] = []
    try:
        for position, name in enumerate((*names, *others)):
            module: Any = denoiser.get_submodule(name)
            own = module.processor
            if type(own).__name__ not in _REPLACEABLE:
                raise EngineError(
                    f"the model's layer {name} computes attention in a way of its own ({type(own).__name__}), "
                    "which cannot be read; use the model without that addition"
                )
            replaced.append((module, own))
            module.set_processor(processor(recorder, position if position < len(names) else None))
        yield recorder
    finally:
        for module, own in replaced:
            module.set_processor(own)


class UNetSelfAttention:
    """Self-attention of a UNet's transformer block, written out so that what passes through it can be seen."""

    def __init__(self, recorder: Recorder, index: int | None) -> None:
        self._recorder, self._index = recorder, index

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,  # noqa: ARG002 - part of diffusers' signature
    ) -> Tensor:
        """hidden_states: [batch, tokens, channels]. Raises EngineError for cross-attention or masks."""
        if encoder_hidden_states is not None or attention_mask is not None:
            raise EngineError("only plain self-attention can be read; choose other layers")
        heads = attn.heads
        query = _heads(attn.to_q(hidden_states), heads)
        key = _heads(attn.to_k(hidden_states), heads)
        value = _heads(attn.to_v(hidden_states), heads)
        if attn.norm_q is not None:
            query = attn.norm_q(query)
        if attn.norm_k is not None:
            key = attn.norm_k(key)
        output = self._recorder.attention(self._index, query, key, value, key)
        joined = attn.to_out[0](output.transpose(1, 2).flatten(2))
        return attn.to_out[1](joined)  # type: ignore[no-any-return]


def _heads(projected: Tensor, heads: int) -> Tensor:
    batch, tokens, channels = projected.shape
    return projected.view(batch, tokens, heads, channels // heads).transpose(1, 2)


def unet_self_attention_names(unet: nn.Module) -> tuple[str, ...]:
    """Names of a UNet's self-attention modules in execution order: down, mid, up."""
    return tuple(
        name
        for part in ("down_blocks", "mid_block", "up_blocks")
        for name, _ in unet.named_modules()
        if name.startswith(part) and name.endswith(".attn1")
    )


def chosen_names(names: Sequence[str], layers: Sequence[int]) -> tuple[str, ...]:
    """Names of numbered layers, in execution order, each once. Raises JobError for numbers the model does not have."""
    unknown = sorted({layer for layer in layers if not 0 <= layer < len(names)})
    if unknown or not layers:
        asked = ", ".join(str(layer) for layer in unknown) or "none"
        raise JobError(f"the model has layers 0 to {len(names) - 1}, the job asks for {asked}", field="layers")
    return tuple(names[layer] for layer in sorted(set(layers)))


def default_layers(names: Sequence[str], prefixes: Sequence[str]) -> tuple[int, ...]:
    """Numbers of the layers below modules of these names."""
    return tuple(number for number, name in enumerate(names) if name.startswith(tuple(prefixes)))
