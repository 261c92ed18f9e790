"""FLUX.1 in the layout of its first publisher: names, fused projections and swapped halves.

The converter of diffusers does the same for the one published width only, and all at once; here each weight is one or
more runs of rows of a tensor in the file, which can be read on their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Rows = tuple[tuple[int, int], ...]

_AT_THE_TOP = {
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "txt_in": "context_embedder",
    "img_in": "x_embedder",
    "final_layer.linear": "proj_out",
}
_IN_A_DOUBLE_BLOCK = {
    "img_mod.lin": "norm1.linear",
    "txt_mod.lin": "norm1_context.linear",
    "img_attn.proj": "attn.to_out.0",
    "txt_attn.proj": "attn.to_add_out",
    "img_mlp.0": "ff.net.0.proj",
    "img_mlp.2": "ff.net.2",
    "txt_mlp.0": "ff_context.net.0.proj",
    "txt_mlp.2": "ff_context.net.2",
    "img_attn.norm.query_norm": "attn.norm_q",
    "img_attn.norm.key_norm": "attn.norm_k",
    "txt_attn.norm.query_norm": "attn.norm_added_q",
    "txt_attn.norm.key_norm": "attn.norm_added_k",
}
_IN_A_SINGLE_BLOCK = {
    "modulation.lin": "norm.linear",
    "linear2": "proj_out",
    "norm.query_norm": "attn.norm_q",
    "norm.key_norm": "attn.norm_k",
}
_FUSED = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
}
_FINAL_MODULATION = "final_layer.adaLN_modulation.1"


def flux_pieces(name: str, width: int, shape: tuple[int, ...]) -> Iterator[tuple[str, Rows]]:
    """Which weights of diffusers' transformer are in a tensor, and in which rows of it.

    name: without prefix. width: channels of a token, heads times head dimension.
    An unknown name comes back as it is, which the loader then refuses.
    """
    height = shape[0] if shape else 0
    module, _, leaf = name.rpartition(".")
    leaf = "weight" if leaf == "scale" else leaf
    if module == _FINAL_MODULATION:
        # The publisher's halves are shift and scale, diffusers' are scale and shift.
        half = height // 2
        yield f"norm_out.linear.{leaf}", ((half, height), (0, half))
        return
    for target, rows in _modules(module, width, height):
        yield f"{target}.{leaf}" if target else name, (rows,)


def _modules(module: str, width: int, height: int) -> Iterator[tuple[str, tuple[int, int]]]:
    whole = (0, height)
    kind, _, rest = module.partition(".")
    if kind not in ("double_blocks", "single_blocks"):
        yield _AT_THE_TOP.get(module, ""), whole
        return
    index, _, inner = rest.partition(".")
    block = f"{'transformer_blocks' if kind == 'double_blocks' else 'single_transformer_blocks'}.{index}"
    if inner in _FUSED:
        targets = _FUSED[inner]
        for place, target in enumerate(targets):
            end = height if target == targets[-1] else (place + 1) * width
            yield f"{block}.{target}", (place * width, end)
        return
    plain = (_IN_A_DOUBLE_BLOCK if kind == "double_blocks" else _IN_A_SINGLE_BLOCK).get(inner)
    yield (f"{block}.{plain}" if plain else ""), whole


def flux_modules(config: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, tuple[int, int] | None]]]]:
    """Every linear layer of the publisher's layout, with the modules of diffusers made of it and in which rows."""
    width = config["attention_head_dim"] * config["num_attention_heads"]
    for kind, count, plain in (
        ("double_blocks", config["num_layers"], _IN_A_DOUBLE_BLOCK),
        ("single_blocks", config["num_single_layers"], _IN_A_SINGLE_BLOCK),
    ):
        fused = [inner for inner in _FUSED if (inner == "linear1") == (kind == "single_blocks")]
        for index in range(count):
            for inner in (*plain, *fused):
                module = f"{kind}.{index}.{inner}"
                pieces = list(_modules(module, width, 7 * width if inner == "linear1" else 3 * width))
                yield module, [(target, rows if inner in _FUSED else None) for target, rows in pieces]
    for module, target in _AT_THE_TOP.items():
        yield module, [(target, None)]
