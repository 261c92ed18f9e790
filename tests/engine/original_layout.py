"""The way back: from the names of diffusers and transformers to those of the models' first publishers.

Written from the published layouts, independently of the converters that the application uses.
"""

from __future__ import annotations

import re

import torch
from torch import Tensor

Tensors = dict[str, Tensor]
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


def unet_tensors(tensors: Tensors, *, levels: int, layers: int) -> Tensors:
    """A UNet as latent diffusion first named it: one numbered list of blocks down, one up."""
    blocks = {"mid_block.resnets.0": "middle_block.0", "mid_block.attentions.0": "middle_block.1"}
    blocks["mid_block.resnets.1"] = "middle_block.2"
    number = 1
    for level in range(levels):
        for layer in range(layers):
            blocks[f"down_blocks.{level}.resnets.{layer}"] = f"input_blocks.{number}.0"
            blocks[f"down_blocks.{level}.attentions.{layer}"] = f"input_blocks.{number}.1"
            number += 1
        blocks[f"down_blocks.{level}.downsamplers.0.conv"] = f"input_blocks.{number}.0.op"
        number += 1
    number = 0
    for level in range(levels):
        attended = any(name.startswith(f"up_blocks.{level}.attentions") for name in tensors)
        for layer in range(layers + 1):
            blocks[f"up_blocks.{level}.resnets.{layer}"] = f"output_blocks.{number}.0"
            blocks[f"up_blocks.{level}.attentions.{layer}"] = f"output_blocks.{number}.1"
            number += 1
        last = f"output_blocks.{number - 1}.{2 if attended else 1}"
        blocks[f"up_blocks.{level}.upsamplers.0.conv"] = f"{last}.conv"
    return {_unet_name(name, blocks): tensor for name, tensor in tensors.items()}


def _unet_name(name: str, blocks: dict[str, str]) -> str:
    module, _, leaf = name.rpartition(".")
    if module in _UNET_ENDS:
        return f"{_UNET_ENDS[module]}.{leaf}"
    block = next(block for block in blocks if name.startswith(f"{block}."))
    inner = name[len(block) + 1 :]
    if ".resnets." in name:
        part, _, leaf = inner.partition(".")
        inner = f"{_RESNET[part]}.{leaf}"
    return f"{blocks[block]}.{inner}"


def vae_tensors(tensors: Tensors, *, levels: int) -> Tensors:
    """A VAE as latent diffusion first named it: levels of the decoder from below, attention as convolutions."""
    found = {}
    for name, tensor in tensors.items():
        new = name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        new = re.sub(r"down_blocks\.(\d+)\.resnets", r"down.\1.block", new)
        new = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", new)
        new = re.sub(r"up_blocks\.(\d+)\.resnets", lambda found: f"up.{levels - 1 - int(found[1])}.block", new)
        new = re.sub(r"up_blocks\.(\d+)\.upsamplers\.0", lambda found: f"up.{levels - 1 - int(found[1])}.upsample", new)
        new = re.sub(r"mid_block\.resnets\.(\d)", lambda found: f"mid.block_{int(found[1]) + 1}", new)
        if "mid_block.attentions.0" in new:
            new = new.replace("mid_block.attentions.0", "mid.attn_1").replace("group_norm", "norm")
            for ours, theirs in (("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out")):
                new = new.replace(ours, theirs)
            found[new] = tensor[:, :, None, None] if tensor.ndim == 2 else tensor
        else:
            found[new] = tensor
    return found


def clip_names(tensors: Tensors) -> Tensors:
    """CLIP as it was published, with its layers below `text_model.`, and the counted positions that old files hold."""
    positions = {"text_model.embeddings.position_ids": torch.arange(77)[None]}
    return {f"text_model.{name}": tensor for name, tensor in tensors.items()} | positions


def open_clip_tensors(tensors: Tensors, *, extra_layer: int | None = None) -> Tensors:
    """A text encoder as OpenCLIP names it, query, key and value in one; extra_layer: stored and not used."""
    ends = {
        "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
        "text_model.embeddings.position_embedding.weight": "positional_embedding",
        "text_model.final_layer_norm.weight": "ln_final.weight",
        "text_model.final_layer_norm.bias": "ln_final.bias",
    }
    found = {ends[name]: tensor for name, tensor in tensors.items() if name in ends}
    projection = tensors.get("text_projection.weight")
    width = found["ln_final.weight"].shape[0]
    found["text_projection"] = torch.eye(width) if projection is None else projection.T
    found["logit_scale"] = torch.tensor(4.6)
    inner = {
        "layer_norm1": "ln_1",
        "layer_norm2": "ln_2",
        "mlp.fc1": "mlp.c_fc",
        "mlp.fc2": "mlp.c_proj",
        "self_attn.out_proj": "attn.out_proj",
    }
    start = "text_model.encoder.layers."
    for layer in sorted({name.split(".")[3] for name in tensors if name.startswith(start)}, key=int):
        block = f"transformer.resblocks.{layer}."
        for leaf in ("weight", "bias"):
            for ours, theirs in inner.items():
                found[f"{block}{theirs}.{leaf}"] = tensors[f"{start}{layer}.{ours}.{leaf}"]
            fused = [tensors[f"{start}{layer}.self_attn.{one}_proj.{leaf}"] for one in "qkv"]
            found[f"{block}attn.in_proj_{leaf}"] = torch.cat(fused)
    if extra_layer is not None:
        last = {name: tensor for name, tensor in found.items() if f"resblocks.{extra_layer - 1}." in name}
        found |= {name.replace(f".{extra_layer - 1}.", f".{extra_layer}."): tensor + 1 for name, tensor in last.items()}
    return found


def flux_tensors(tensors: Tensors) -> Tensors:
    """FLUX.1 as its publisher names it: fused projections, scale for weight, halves of the last modulation swapped."""
    names = {
        "time_text_embed.timestep_embedder.linear_1": "time_in.in_layer",
        "time_text_embed.timestep_embedder.linear_2": "time_in.out_layer",
        "time_text_embed.text_embedder.linear_1": "vector_in.in_layer",
        "time_text_embed.text_embedder.linear_2": "vector_in.out_layer",
        "time_text_embed.guidance_embedder.linear_1": "guidance_in.in_layer",
        "time_text_embed.guidance_embedder.linear_2": "guidance_in.out_layer",
        "context_embedder": "txt_in",
        "x_embedder": "img_in",
        "proj_out": "final_layer.linear",
    }
    found: Tensors = {}
    for leaf in ("weight", "bias"):
        for ours, theirs in names.items():
            if f"{ours}.{leaf}" in tensors:
                found[f"{theirs}.{leaf}"] = tensors[f"{ours}.{leaf}"]
        scale, shift = tensors[f"norm_out.linear.{leaf}"].chunk(2)
        found[f"final_layer.adaLN_modulation.1.{leaf}"] = torch.cat([shift, scale])
    for block in _numbers(tensors, "transformer_blocks."):
        _double_block(tensors, found, block)
    for block in _numbers(tensors, "single_transformer_blocks."):
        _single_block(tensors, found, block)
    return found


def _numbers(tensors: Tensors, start: str) -> set[str]:
    return {name[len(start) :].split(".")[0] for name in tensors if name.startswith(start)}


def _double_block(tensors: Tensors, found: Tensors, block: str) -> None:
    ours, theirs = f"transformer_blocks.{block}.", f"double_blocks.{block}."
    for stream, norm, projections, out, network in (
        ("img", "norm1", ("to_q", "to_k", "to_v"), "to_out.0", "ff"),
        ("txt", "norm1_context", ("add_q_proj", "add_k_proj", "add_v_proj"), "to_add_out", "ff_context"),
    ):
        for leaf in ("weight", "bias"):
            found[f"{theirs}{stream}_mod.lin.{leaf}"] = tensors[f"{ours}{norm}.linear.{leaf}"]
            fused = [tensors[f"{ours}attn.{one}.{leaf}"] for one in projections]
            found[f"{theirs}{stream}_attn.qkv.{leaf}"] = torch.cat(fused)
            found[f"{theirs}{stream}_attn.proj.{leaf}"] = tensors[f"{ours}attn.{out}.{leaf}"]
            found[f"{theirs}{stream}_mlp.0.{leaf}"] = tensors[f"{ours}{network}.net.0.proj.{leaf}"]
            found[f"{theirs}{stream}_mlp.2.{leaf}"] = tensors[f"{ours}{network}.net.2.{leaf}"]
        added = "" if stream == "img" else "added_"
        found[f"{theirs}{stream}_attn.norm.query_norm.scale"] = tensors[f"{ours}attn.norm_{added}q.weight"]
        found[f"{theirs}{stream}_attn.norm.key_norm.scale"] = tensors[f"{ours}attn.norm_{added}k.weight"]


def _single_block(tensors: Tensors, found: Tensors, block: str) -> None:
    ours, theirs = f"single_transformer_blocks.{block}.", f"single_blocks.{block}."
    for leaf in ("weight", "bias"):
        found[f"{theirs}modulation.lin.{leaf}"] = tensors[f"{ours}norm.linear.{leaf}"]
        fused = [tensors[f"{ours}{one}.{leaf}"] for one in ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")]
        found[f"{theirs}linear1.{leaf}"] = torch.cat(fused)
        found[f"{theirs}linear2.{leaf}"] = tensors[f"{ours}proj_out.{leaf}"]
    found[f"{theirs}norm.query_norm.scale"] = tensors[f"{ours}attn.norm_q.weight"]
    found[f"{theirs}norm.key_norm.scale"] = tensors[f"{ours}attn.norm_k.weight"]
