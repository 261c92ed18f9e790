"""Where the authors' code does what the method does not mean, each as a switch; all off unless parity is asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceQuirks:
    """Habits of the official code that its recorded numbers contain.

    square_mask_grid: label masks are resized to r × r, r = floor(√tokens), whatever the picture's aspect.
    uncovered_labels_attend_to_nothing: a target label that no reference has gives the target 0 instead of an error.
    told_output_size: SDXL's reference pass is told the size of the result instead of the reference's own.
    text_tokens_in_loss: FLUX's loss counts the text tokens beside those of the image.
    plain_reference_positions: FLUX's reference keys keep their rotary positions, so content is copied.
    sampled_reference_latents: FLUX's reference latents are drawn from the VAE's distribution instead of its mean.
    seamless_encoder: circular padding also while references are encoded, except in the explicit padding of the VAE's
        stride-2 convolutions, which stays zero.
    negative_windows: canvases lower or narrower than a window get windows that start below zero, so that some rows
        are never painted and become 0.
    content_gradient_from_rounding: the content term is computed even where latents and content are the same, and every
        timestep is read in a pass of its own, so that the rounding is the same as there.
    """

    square_mask_grid: bool = False
    uncovered_labels_attend_to_nothing: bool = False
    told_output_size: bool = False
    text_tokens_in_loss: bool = False
    plain_reference_positions: bool = False
    sampled_reference_latents: bool = False
    seamless_encoder: bool = False
    negative_windows: bool = False
    content_gradient_from_rounding: bool = False


NO_QUIRKS = ReferenceQuirks()
OFFICIAL_QUIRKS = ReferenceQuirks(
    square_mask_grid=True,
    uncovered_labels_attend_to_nothing=True,
    told_output_size=True,
    text_tokens_in_loss=True,
    plain_reference_positions=True,
    sampled_reference_latents=True,
    seamless_encoder=True,
    negative_windows=True,
    content_gradient_from_rounding=True,
)
