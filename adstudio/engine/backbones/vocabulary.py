"""Tokenizers, built from the words and merges of their files by classes that are named here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import CLIPTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from adstudio.errors import ModelError, UnavailableError
from adstudio.models.description import Component, ModelDescription
from adstudio.models.families import FACTS
from adstudio.models.vocabulary import clip_files, has_vocabulary

_T5_MARKS = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def load_tokenizers(model: ModelDescription) -> tuple[PreTrainedTokenizerBase, ...]:
    """One tokenizer for each text encoder of a model, in the family's order.

    Raises UnavailableError where a vocabulary is not on this machine.
    """
    return tuple(
        load_tokenizer(model.components[role], model.tokenizer_dirs.get(role), model.name)
        for role in FACTS[model.family].text_roles
    )


def load_tokenizer(component: Component, folder: Path | None, name: str) -> PreTrainedTokenizerBase:
    """The tokenizer in a folder; its `model_max_length` is the length of a whole prompt.

    Raises UnavailableError without a folder, ModelError where its files do not fit the text encoder.
    """
    if folder is None:
        needed = "tokenizer.json of T5" if component.config["_class_name"] == "T5EncoderModel" else "CLIP vocabulary"
        raise UnavailableError(
            f"prompt: the words that the {component.role.label} of {name} knows are not on this machine ({needed}), so "
            "prompts cannot be read; fetch them with `adstudio models fetch-vocabulary`, or add a diffusers folder of "
            "this family, which holds them. Style and appearance transfer and textures need no prompt and work without"
        )
    ids = component.token_ids
    if ids is None or not has_vocabulary(folder, component):
        raise ModelError(f"{folder}: is not the vocabulary of the {component.role.label} of {name}")
    if component.config["_class_name"] == "T5EncoderModel":
        fast: Any = PreTrainedTokenizerFast  # without types of their own, as the next
        tokenizer: PreTrainedTokenizerBase = fast(
            tokenizer_file=str(folder / "tokenizer.json"), model_max_length=ids.length, **_T5_MARKS
        )
        return tokenizer
    vocabulary, merges = clip_files(folder)
    token_of = {number: token for token, number in vocabulary.items()}
    try:
        start, end, padding = token_of[ids.start or 0], token_of[ids.end], token_of[ids.padding]
    except KeyError as error:
        raise ModelError(f"{folder}: its vocabulary lacks the token {error}; download it again") from error
    clip: Any = CLIPTokenizer
    made: PreTrainedTokenizerBase = clip(
        vocab=vocabulary,
        merges=merges,
        bos_token=start,
        eos_token=end,
        unk_token=end,
        pad_token=padding,
        model_max_length=ids.length,
    )
    return made
