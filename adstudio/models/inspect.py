"""Look at a file or folder and say which model it is, or why it is none."""

from __future__ import annotations

from pathlib import Path

from adstudio.errors import ModelError, StorageError
from adstudio.models.description import ModelDescription
from adstudio.models.folder import inspect_folder
from adstudio.models.single_file import inspect_file

PICKLE_SUFFIXES = frozenset({".ckpt", ".pt", ".pth", ".bin", ".pkl", ".pickle"})


def inspect_model(path: Path) -> ModelDescription:
    """The model in a diffusers folder or a .safetensors file; nothing of it is executed or loaded.

    Raises ModelError where it is no model that can be used here, StorageError where it cannot be read.
    """
    path = path.absolute()
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror or error})") from error
    if is_folder:
        return inspect_folder(path)
    suffix = path.suffix.lower()
    if suffix in PICKLE_SUFFIXES:
        raise ModelError(
            f"{path}: is a pickle checkpoint, which can run any program when it is opened; "
            "use the same model as .safetensors"
        )
    if not is_file:
        raise ModelError(f"{path}: there is no such file or folder; check the path, and that its drive is plugged in")
    if suffix == ".gguf":
        raise ModelError(f"{path}: is a GGUF file with quantised weights, which are not read here; use .safetensors")
    if suffix != ".safetensors":
        raise ModelError(f"{path}: is neither a diffusers folder nor a .safetensors file")
    return inspect_file(path)
