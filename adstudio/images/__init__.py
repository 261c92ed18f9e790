"""Pictures in and out: loading, saving, colour, masks and fidelity figures. No torch, no Qt."""

from adstudio.images.colour import blend_color, blend_strength
from adstudio.images.load import ImageInfo, LoadedImage, load_image, probe_image, read_digest
from adstudio.images.masks import LabelMask, load_label_mask, load_protect_mask, pair_labels
from adstudio.images.resize import centre_crop_to_aspect, fit_within, resize, resize_labels
from adstudio.images.save import (
    JOB_KEY,
    atomic_write_bytes,
    encode_png,
    encode_thumbnail,
    read_metadata,
    save_jpeg,
    save_png,
    to_uint8,
)

__all__ = [
    "JOB_KEY",
    "ImageInfo",
    "LabelMask",
    "LoadedImage",
    "atomic_write_bytes",
    "blend_color",
    "blend_strength",
    "centre_crop_to_aspect",
    "encode_png",
    "encode_thumbnail",
    "fit_within",
    "load_image",
    "load_label_mask",
    "load_protect_mask",
    "pair_labels",
    "probe_image",
    "read_digest",
    "read_metadata",
    "resize",
    "resize_labels",
    "save_jpeg",
    "save_png",
    "to_uint8",
]
