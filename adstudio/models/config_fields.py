"""Which fields a part's config may have and in which ranges, per class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rule:
    """What a field may hold. words: the same for a person, after "must be"."""

    allows: Callable[[Any], bool]
    words: str
    required: bool = False


def _is_count(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _count(low: int, high: int, *, optional: bool = False, required: bool = False) -> Rule:
    def allows(value: Any) -> bool:
        return _is_count(value, low, high) or (optional and value is None)

    return Rule(allows, f"a whole number from {low} to {high}", required)


def _counts(low: int, high: int, *, single: bool = False, optional: bool = False, required: bool = False) -> Rule:
    """A short list of whole numbers; with single also one number for all."""

    def allows(value: Any) -> bool:
        if isinstance(value, list):
            return 1 <= len(value) <= 8 and all(_is_count(one, low, high) for one in value)
        return (single and _is_count(value, low, high)) or (optional and value is None)

    return Rule(allows, f"whole numbers from {low} to {high}, at most eight", required)


def _number(low: float, high: float, *, optional: bool = False) -> Rule:
    def allows(value: Any) -> bool:
        plain = isinstance(value, (int, float)) and not isinstance(value, bool)
        return (plain and low <= value <= high) or (optional and value is None)

    return Rule(allows, f"a number from {low} to {high}")


def _one_of(*choices: Any, required: bool = False) -> Rule:
    def allows(value: Any) -> bool:
        return any(value == one and type(value) is type(one) for one in choices)

    return Rule(allows, " or ".join(str(one) for one in choices), required)


def _list_of(*choices: str) -> Rule:
    def allows(value: Any) -> bool:
        return isinstance(value, list) and 1 <= len(value) <= 8 and all(one in choices for one in value)

    return Rule(allows, f"a list of {', '.join(choices)}", required=True)


def _flag() -> Rule:
    return Rule(lambda value: isinstance(value, bool), "true or false")


_ACTIVATIONS = _one_of("silu", "swish", "mish", "gelu", "relu")
_UNET: Mapping[str, Rule] = {
    "act_fn": _ACTIVATIONS,
    "addition_embed_type": _one_of(None, "text_time"),
    "addition_embed_type_num_heads": _count(1, 256),
    "addition_time_embed_dim": _count(1, 4096, optional=True),
    "attention_head_dim": _counts(1, 512, single=True),
    "attention_type": _one_of("default"),
    "block_out_channels": _counts(1, 8192, required=True),
    "center_input_sample": _one_of(False),
    "class_embed_type": _one_of(None),
    "conv_in_kernel": _one_of(3),
    "conv_out_kernel": _one_of(3),
    "cross_attention_dim": _count(1, 16_384, required=True),
    "cross_attention_norm": _one_of(None),
    "down_block_types": _list_of("CrossAttnDownBlock2D", "DownBlock2D"),
    "downsample_padding": _one_of(1),
    "dropout": _number(0, 1),
    "dual_cross_attention": _one_of(False),
    "encoder_hid_dim": _one_of(None),
    "encoder_hid_dim_type": _one_of(None),
    "flip_sin_to_cos": _flag(),
    "freq_shift": _count(0, 1),
    "in_channels": _one_of(4, required=True),
    "layers_per_block": _count(1, 16),
    "mid_block_scale_factor": _number(0, 16),
    "mid_block_type": _one_of("UNetMidBlock2DCrossAttn"),
    "norm_eps": _number(0, 1),
    "norm_num_groups": _count(1, 1024),
    "num_attention_heads": _counts(1, 512, single=True, optional=True),
    "num_class_embeds": _one_of(None),
    "only_cross_attention": _one_of(False),
    "out_channels": _one_of(4),
    "projection_class_embeddings_input_dim": _count(1, 65_536, optional=True),
    "resnet_out_scale_factor": _number(0, 16),
    "resnet_skip_time_act": _one_of(False),
    "resnet_time_scale_shift": _one_of("default"),
    "sample_size": _count(1, 1024, optional=True),
    "time_cond_proj_dim": _count(1, 8192, optional=True),
    "time_embedding_act_fn": _one_of(None),
    "time_embedding_dim": _one_of(None),
    "time_embedding_type": _one_of("positional"),
    "timestep_post_act": _one_of(None),
    "transformer_layers_per_block": _counts(0, 64, single=True),
    "up_block_types": _list_of("CrossAttnUpBlock2D", "UpBlock2D"),
    "upcast_attention": Rule(lambda value: value is None or isinstance(value, bool), "true or false"),
    "use_linear_projection": _flag(),
}
_TRANSFORMER: Mapping[str, Rule] = {
    "attention_head_dim": _count(1, 1024, required=True),
    "axes_dims_rope": Rule(
        lambda value: isinstance(value, list) and len(value) == 3 and all(_is_count(one, 2, 512) for one in value),
        "three whole numbers from 2 to 512",
        required=True,
    ),
    "guidance_embeds": _flag(),
    "in_channels": _one_of(64, required=True),
    "joint_attention_dim": _count(1, 16_384, required=True),
    "num_attention_heads": _count(1, 256, required=True),
    "num_layers": _count(1, 128, required=True),
    "num_single_layers": _count(1, 256, required=True),
    "out_channels": _one_of(None, 64),
    "patch_size": _one_of(1),
    "pooled_projection_dim": _count(1, 16_384, required=True),
}
_VAE: Mapping[str, Rule] = {
    "act_fn": _ACTIVATIONS,
    "block_out_channels": _counts(1, 4096, required=True),
    "down_block_types": _list_of("DownEncoderBlock2D"),
    "force_upcast": Rule(lambda value: value is None or isinstance(value, bool), "true or false"),
    "in_channels": _one_of(3),
    "latent_channels": _one_of(4, 16, required=True),
    "latents_mean": _one_of(None),
    "latents_std": _one_of(None),
    "layers_per_block": _count(1, 16),
    "mid_block_add_attention": _flag(),
    "norm_num_groups": _count(1, 1024),
    "out_channels": _one_of(3),
    "sample_size": _count(1, 8192),
    "scaling_factor": _number(1e-4, 1e4),
    "shift_factor": _number(-1e3, 1e3, optional=True),
    "up_block_types": _list_of("UpDecoderBlock2D"),
    "use_post_quant_conv": _flag(),
    "use_quant_conv": _flag(),
}
_CLIP: Mapping[str, Rule] = {
    "attention_dropout": _number(0, 1),
    "bos_token_id": _count(0, 2_000_000, optional=True),
    "eos_token_id": _count(0, 2_000_000, optional=True),
    "hidden_act": _one_of("quick_gelu", "gelu", required=True),
    "hidden_size": _count(1, 16_384, required=True),
    "intermediate_size": _count(1, 65_536, required=True),
    "layer_norm_eps": _number(0, 1),
    "max_position_embeddings": _count(3, 1024),
    "num_attention_heads": _count(1, 256, required=True),
    "num_hidden_layers": _count(1, 128, required=True),
    "pad_token_id": _count(0, 2_000_000, optional=True),
    "projection_dim": _count(1, 16_384),
    "vocab_size": _count(3, 2_000_000, required=True),
}
_T5: Mapping[str, Rule] = {
    "d_ff": _count(1, 262_144, required=True),
    "d_kv": _count(1, 1024, required=True),
    "d_model": _count(1, 16_384, required=True),
    "dropout_rate": _number(0, 1),
    "eos_token_id": _count(0, 2_000_000, optional=True),
    "feed_forward_proj": _one_of("gated-gelu", "relu", required=True),
    "layer_norm_epsilon": _number(0, 1),
    "num_heads": _count(1, 256, required=True),
    "num_layers": _count(1, 128, required=True),
    "pad_token_id": _count(0, 2_000_000, optional=True),
    "relative_attention_max_distance": _count(1, 4096),
    "relative_attention_num_buckets": _count(1, 1024),
    "tie_word_embeddings": _flag(),
    "vocab_size": _count(3, 2_000_000, required=True),
}
_NO_CONTROLNET_FIELDS = {
    "attention_type",
    "center_input_sample",
    "conv_in_kernel",
    "conv_out_kernel",
    "cross_attention_norm",
    "dropout",
    "dual_cross_attention",
    "out_channels",
    "resnet_out_scale_factor",
    "resnet_skip_time_act",
    "sample_size",
    "time_cond_proj_dim",
    "time_embedding_act_fn",
    "time_embedding_dim",
    "time_embedding_type",
    "timestep_post_act",
    "up_block_types",
}
_CONTROLNET: Mapping[str, Rule] = {name: rule for name, rule in _UNET.items() if name not in _NO_CONTROLNET_FIELDS} | {
    "conditioning_channels": _one_of(3),
    "conditioning_embedding_out_channels": _counts(1, 1024),
    "controlnet_conditioning_channel_order": _one_of("rgb", "bgr"),
    "global_pool_conditions": _flag(),
    "mid_block_type": _one_of("UNetMidBlock2DCrossAttn", "UNetMidBlock2D"),
}
FIELDS: Mapping[str, Mapping[str, Rule]] = {
    "UNet2DConditionModel": _UNET,
    "FluxTransformer2DModel": _TRANSFORMER,
    "AutoencoderKL": _VAE,
    "ControlNetModel": _CONTROLNET,
    "CLIPTextModel": _CLIP,
    "CLIPTextModelWithProjection": _CLIP,
    "T5EncoderModel": _T5,
}
