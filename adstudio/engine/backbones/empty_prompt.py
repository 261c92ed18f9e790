"""The empty prompt's embedding: computed once per text encoder and precision, then kept on disk.

Transfer and texture need no other text, so a text encoder is never loaded for them a second time.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import safetensors.torch
import torch

from adstudio.engine.backbones.parts import PromptEmbeddings
from adstudio.engine.backbones.weights import open_weights
from adstudio.errors import AdStudioError, StorageError
from adstudio.images import atomic_write_bytes
from adstudio.models.description import Component
from adstudio.models.header import read_header
from adstudio.paths import cache_dir

_log = logging.getLogger(__name__)
_VERSION = 1
_SAMPLES = 64
_SAMPLE_BYTES = 16 << 10


def embedding_of(
    text: Sequence[Component], dtype: torch.dtype, extra: str, compute: Callable[[], PromptEmbeddings]
) -> PromptEmbeddings:
    """The empty prompt's embedding, from the cache or computed and then kept; on the CPU.

    extra: what else decides the outcome, such as LoRA files. A cache that cannot be read or written is no error.
    """
    path = cache_dir() / "embeddings" / f"{_key(text, dtype, extra)}.safetensors"
    found = _read(path)
    if found is not None:
        return found
    computed = compute()
    tensors = {"tokens": computed.tokens.cpu().contiguous()}
    if computed.pooled is not None:
        tensors["pooled"] = computed.pooled.cpu().contiguous()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write_bytes(path, safetensors.torch.save(tensors))
    except OSError as error:
        _log.info("%s: the empty prompt's embedding was not kept (%s)", path, error)
    return PromptEmbeddings(tokens=tensors["tokens"], pooled=tensors.get("pooled"))


def fingerprint(files: Sequence[Path]) -> str:
    """A digest of weight files: headers whole, of their tensors samples all over, and the time of the last change.

    Reading gigabytes before each run would cost more than what the cache saves. A copy made elsewhere has another
    time of change and so is computed anew, which does no harm.
    """
    digest = hashlib.sha256()
    for path in files:
        header = read_header(path)
        try:
            digest.update(str(path.stat().st_mtime_ns).encode())
            with path.open("rb") as stream:
                data_start = header.size_bytes - sum(info.end - info.start for info in header.tensors.values())
                digest.update(stream.read(data_start))
                step = max(1, (header.size_bytes - data_start) // _SAMPLES)
                for place in range(data_start, header.size_bytes, step):
                    stream.seek(place)
                    digest.update(stream.read(min(step, _SAMPLE_BYTES)))
        except OSError as error:
            raise StorageError(
                f"{path}: cannot be read ({error.strerror or error}); is its drive plugged in?"
            ) from error
    return digest.hexdigest()


def _key(text: Sequence[Component], dtype: torch.dtype, extra: str) -> str:
    half = dtype in (torch.float16, torch.bfloat16)
    described = [
        {
            "config": dict(part.config),
            "ids": part.token_ids.empty_prompt() if part.token_ids else (),
            "weights": fingerprint(part.weights_for(half=half).files),
            "prefix": part.prefix,
        }
        for part in text
    ]
    told = json.dumps([_VERSION, str(dtype), torch.__version__, extra, described], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()


def _read(path: Path) -> PromptEmbeddings | None:
    if not path.is_file():
        return None
    try:
        with open_weights((path,)) as reader:
            tokens = reader.read("tokens")
            pooled = reader.read("pooled") if "pooled" in reader else None
    except (AdStudioError, KeyError):
        return None
    is_sound = tokens.ndim == 3 and bool(torch.isfinite(tokens).all())
    return PromptEmbeddings(tokens=tokens, pooled=pooled) if is_sound else None
