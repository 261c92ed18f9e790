"""Where the application keeps its own files and finds those it came with."""

from __future__ import annotations

from pathlib import Path

import platformdirs

_NAME = "AD Studio"


def resources_dir() -> Path:
    """Icons and samples: beside the package in a checkout, inside it once installed."""
    package = Path(__file__).resolve().parent
    beside = package.parent / "resources"
    return beside if beside.is_dir() else package / "_resources"


def samples_dir() -> Path:
    """The sample pictures with their index, samples.json."""
    return resources_dir() / "samples"


def settings_path() -> Path:
    """The settings file of this user; it need not exist."""
    return platformdirs.user_config_path(_NAME, appauthor=False) / "settings.json"


def library_path() -> Path:
    """The list of models of this user; it need not exist."""
    return settings_path().with_name("models.json")


def recent_path() -> Path:
    """The list of projects that this user opened last; it need not exist."""
    return settings_path().with_name("recent.json")


def models_dir() -> Path:
    """Where a user can put models to have them found: Documents/AD Studio/Models; it need not exist."""
    return platformdirs.user_documents_path() / _NAME / "Models"


def vocabularies_dir() -> Path:
    """Vocabularies of text encoders that this user had fetched; it need not exist."""
    return platformdirs.user_data_path(_NAME, appauthor=False) / "vocabularies"


def cache_dir() -> Path:
    """What can be made again: thumbnails, compiled kernels, embeddings; it need not exist."""
    return platformdirs.user_cache_path(_NAME, appauthor=False)


def pictures_dir() -> Path:
    """Where results go by default: Pictures/AD Studio of this user; it need not exist."""
    return platformdirs.user_pictures_path() / _NAME
