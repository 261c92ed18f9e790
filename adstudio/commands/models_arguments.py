"""The arguments of `adstudio models`, and which command each action is."""

from __future__ import annotations

import argparse
from pathlib import Path

from adstudio.models.families import Family


def add_models_arguments(models: argparse.ArgumentParser) -> None:
    """Tell a parser what `adstudio models` understands."""
    actions = models.add_subparsers(dest="action", metavar="action", title="actions")
    listed = actions.add_parser("list", help="every installed model with family, size and health (the same as none)")
    add = actions.add_parser("add", help="add a diffusers folder, a .safetensors file or a folder of them, in place")
    add.add_argument("path", type=Path, metavar="PATH")
    add.add_argument("--name", default="", help="what to call it; by default as its file or folder")
    inspect = actions.add_parser("inspect", help="say what a file, a folder or an installed model is")
    inspect.add_argument("model", metavar="PATH-OR-NAME")
    remove = actions.add_parser("remove", help="take a model, or a folder with its models, off the list; files stay")
    remove.add_argument("name", metavar="NAME-OR-FOLDER")
    for one in (listed, inspect):
        one.add_argument("--json", action="store_true", help="for programs rather than people")
    fetch = actions.add_parser("download", help="fetch a model from huggingface.co, after showing what it is")
    fetch.add_argument("repository", metavar="PUBLISHER/MODEL")
    fetch.add_argument("--revision", default="main", help="a branch, tag or commit (main)")
    fetch.add_argument("--file", default="", metavar="NAME", help="one .safetensors file of a repository with several")
    fetch.add_argument("--to", type=Path, metavar="FOLDER", help="where to put it (Documents/AD Studio/Models)")
    fetch.add_argument("--yes", action="store_true", help="do not ask")
    words = actions.add_parser("fetch-vocabulary", help="fetch the words that prompts of a family need, once")
    words.add_argument("family", type=Family, choices=list(Family), metavar="|".join(Family))
    offline = actions.add_parser("offline", help="say whether anything may be fetched, or decide it")
    offline.add_argument("switch", nargs="?", choices=("on", "off"))


def models_command(arguments: argparse.Namespace) -> int:
    """Do what was asked for; the list where nothing was."""
    from adstudio.commands import models, models_fetch

    match arguments.action:
        case "add":
            return models.add_command(arguments.path, arguments.name)
        case "inspect":
            return models.inspect_command(arguments.model, as_json=arguments.json)
        case "remove":
            return models.remove_command(arguments.name)
        case "download":
            return models_fetch.download_command(
                arguments.repository,
                revision=arguments.revision,
                file=arguments.file,
                to=arguments.to,
                agreed=arguments.yes,
            )
        case "fetch-vocabulary":
            return models_fetch.fetch_vocabulary_command(arguments.family)
        case "offline":
            return models_fetch.offline_command(arguments.switch)
    return models.list_command(as_json=getattr(arguments, "json", False))
