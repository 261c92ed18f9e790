"""The command line; without a command it opens the window.

Exit status: 0 done, 1 the run failed, 2 the job or what it names is wrong, 3 this machine cannot do it, 130 cancelled.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import adstudio
from adstudio.commands.console import say, tell
from adstudio.commands.export_arguments import add_export_arguments, export_from
from adstudio.commands.models_arguments import add_models_arguments
from adstudio.errors import AdStudioError, ProjectError, UnavailableError
from adstudio.jobs.host import Engine

_INTERRUPTED_STATUS = 130


def engine_factory() -> Engine:
    """The real engine; imported only when it is wanted, in the thread that will use it."""
    from adstudio.engine.runner import StudioEngine

    return StudioEngine()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    arguments = _parser().parse_args(argv)
    try:
        return _dispatch(arguments)
    except AdStudioError as error:
        tell(f"adstudio: {' '.join(str(error).split())}")
        return error.exit_status
    except KeyboardInterrupt:
        tell("Cancelled")
        return _INTERRUPTED_STATUS


def _dispatch(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "run":
            from adstudio.commands.run import run_command

            return run_command(
                arguments.job,
                arguments.out,
                arguments.settings,
                engine_factory,
                resume=arguments.resume,
                memory_gb=arguments.memory,
            )
        case "batch" | "sweep":
            return _series(arguments)
        case "demo":
            from adstudio.commands.demo import demo_command

            return demo_command(arguments.out, engine_factory)
        case "models":
            from adstudio.commands.models_arguments import models_command

            return models_command(arguments)
        case "bench":
            from adstudio.commands.bench import bench_command

            return bench_command(
                arguments.model,
                size_px=arguments.size,
                steps=arguments.steps,
                device=arguments.device,
                precision=arguments.precision,
                as_json=arguments.json,
            )
        case "doctor" | "bundle" | "export":
            return {"doctor": _doctor, "bundle": _bundle, "export": export_from}[arguments.command](arguments)
        case "schema":
            from adstudio.jobs.files import json_schema

            say(json.dumps(json_schema(), ensure_ascii=False, indent=2))
            return 0
    return _open_window(getattr(arguments, "project", None))


def _series(arguments: argparse.Namespace) -> int:
    if arguments.command == "batch":
        from adstudio.commands.batch import batch_command

        return batch_command(
            arguments.jobs,
            arguments.out,
            arguments.settings,
            engine_factory,
            look=arguments.look,
            pictures=arguments.folder,
            resume=arguments.resume,
            retry=arguments.retry,
        )
    from adstudio.commands.sweep import sweep_command

    return sweep_command(
        arguments.job,
        arguments.over,
        arguments.out,
        arguments.settings,
        engine_factory,
        draft=arguments.draft,
        resume=arguments.resume,
        retry=arguments.retry,
    )


def _doctor(arguments: argparse.Namespace) -> int:
    if arguments.project is not None:
        from adstudio.commands.doctor_project import doctor_project_command

        return doctor_project_command(arguments.project, repair=arguments.repair, as_json=arguments.json)
    if arguments.repair:
        raise ProjectError("--repair: name the project to be mended, as in adstudio doctor PROJECT --repair")
    from adstudio.commands.doctor import doctor_command

    return doctor_command(engine_factory, warm=arguments.warm, as_json=arguments.json)


def _bundle(arguments: argparse.Namespace) -> int:
    from adstudio.commands import bundle

    match arguments.action:
        case "export":
            return bundle.export_command(
                arguments.project,
                arguments.to,
                runs=arguments.runs,
                board=arguments.board,
                ancestors=arguments.ancestors,
            )
        case "import":
            return bundle.import_command(arguments.bundle, arguments.into)
        case "replay":
            return bundle.replay_command(arguments.bundle, arguments.out, engine_factory, as_json=arguments.json)
    return bundle.show_command(arguments.bundle, as_json=arguments.json)


def _open_window(project: Path | None = None) -> int:
    try:
        app = importlib.import_module("ui.app")
    except ImportError as error:
        raise UnavailableError(
            f"The window cannot be opened ({error}); `adstudio doctor` says what is missing; "
            "`adstudio run` needs no window"
        ) from error
    return int(app.main([str(project)] if project is not None else []))


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {' '.join(message.split())} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(prog="adstudio", description="Put the look of a reference picture onto new pictures.")
    parser.add_argument("--version", action="version", version=f"AD Studio {adstudio.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", title="commands")
    gui = commands.add_parser("gui", help="open the window (the same as no command)")
    gui.add_argument("project", type=Path, nargs="?", metavar="PROJECT", help="the project to open in it")
    run = commands.add_parser("run", help="make the pictures of one job")
    run.add_argument("job", type=Path, metavar="JOB.json", help="the job file")
    run.add_argument("--out", type=Path, metavar="DIR", help="folder for the results; new or empty")
    run.add_argument("--resume", action="store_true", help="go on with the run in DIR, or in the job file's folder")
    run.add_argument("--memory", type=float, metavar="GB", help="what the run may take in all; memory is saved to fit")
    _add_settings_argument(run)
    _add_batch_arguments(commands.add_parser("batch", help="many jobs, or one look over a folder of pictures"))
    _add_sweep_arguments(commands.add_parser("sweep", help="one job over the values of one or two fields, as a grid"))
    demo = commands.add_parser("demo", help="run the built-in samples and make a gallery of the results")
    demo.add_argument("--out", type=Path, metavar="DIR", help="folder for runs and gallery (Pictures/AD Studio/Demo)")
    add_models_arguments(commands.add_parser("models", help="which diffusion models there are; add, fetch, inspect"))
    _add_bundle_parser(commands.add_parser("bundle", help="runs from project to project in one file"))
    add_export_arguments(commands.add_parser("export", help="pictures of a project as a gallery for any browser"))
    doctor = commands.add_parser("doctor", help="say what this machine, or a project, has and lacks")
    doctor.add_argument("project", type=Path, nargs="?", metavar="PROJECT", help="say whether this project is sound")
    doctor.add_argument("--repair", action="store_true", help="mend what is wrong with the project")
    doctor.add_argument(
        "--warm",
        action="store_true",
        help="get the engine ready as well: compile the patch search now rather than in the first run",
    )
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON, for programs")
    _add_bench_arguments(commands.add_parser("bench", help="measure speed and memory of a diffusion model"))
    commands.add_parser("schema", help="print the JSON Schema of the job file")
    return parser


def _add_settings_argument(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="change one field of the job, for instance seed=7 or styles.0.weight=2; may be repeated",
    )


def _add_batch_arguments(batch: argparse.ArgumentParser) -> None:
    batch.add_argument("jobs", type=Path, nargs="?", metavar="JOBS.jsonl", help="a file with one job a line")
    batch.add_argument("--look", type=Path, metavar="JOB.json", help="with --folder: the job to make of each picture")
    batch.add_argument("--folder", type=Path, metavar="PICTURES", help="its pictures become the content, one by one")
    _add_series_arguments(batch)


def _add_sweep_arguments(sweep: argparse.ArgumentParser) -> None:
    sweep.add_argument("job", type=Path, nargs="?", metavar="JOB.json", help="the job file")
    sweep.add_argument(
        "--over",
        action="append",
        default=[],
        metavar="FIELD=A,B,C",
        help="a field and its values; given twice, the first runs along the columns and the second along the rows",
    )
    sweep.add_argument("--draft", action="store_true", help="half the width, height and steps, to look around quickly")
    _add_series_arguments(sweep)


def _add_series_arguments(series: argparse.ArgumentParser) -> None:
    series.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the runs; new or empty")
    series.add_argument("--resume", action="store_true", help="go on with what is in DIR; failed jobs stay as they are")
    series.add_argument("--retry", action="store_true", help="the same, and try failed jobs again")
    _add_settings_argument(series)


def _add_bench_arguments(bench: argparse.ArgumentParser) -> None:
    bench.add_argument(
        "--model",
        required=True,
        metavar="MODEL",
        help="an installed model, a folder or file, or random-sd15, random-sdxl, random-flux (full size)",
    )
    bench.add_argument(
        "--size", type=int, default=512, metavar="PX", help="side of the picture, a multiple of 64 (512)"
    )
    bench.add_argument("--steps", type=int, default=8, metavar="N", help="steps of each exact path (8)")
    bench.add_argument("--device", choices=("auto", "cuda", "mps", "cpu"), default="auto")
    bench.add_argument("--precision", choices=("auto", "bf16", "fp16", "fp32"), default="auto")
    bench.add_argument("--json", action="store_true", help="for programs rather than people")


def _add_bundle_parser(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="action", title="actions", required=True)
    out = actions.add_parser("export", help="write runs of a project into a bundle")
    out.add_argument("project", type=Path, metavar="PROJECT", help="the project's folder")
    out.add_argument("--to", type=Path, required=True, metavar="FILE", help="the bundle; .adbundle is added")
    which = out.add_mutually_exclusive_group()
    which.add_argument("--runs", metavar="ID,…", help="only these runs")
    which.add_argument("--board", metavar="NAME", help="only the runs on this board")
    out.add_argument("--ancestors", action="store_true", help="also the runs that they were made from")
    take = actions.add_parser("import", help="take the runs of a bundle into a project")
    take.add_argument("bundle", type=Path, metavar="FILE")
    take.add_argument("--into", type=Path, required=True, metavar="PROJECT", help="made where it is not there")
    show = actions.add_parser("show", help="say what a bundle holds, and whether it is whole")
    show.add_argument("bundle", type=Path, metavar="FILE")
    show.add_argument("--json", action="store_true", help="as JSON")
    replay = actions.add_parser("replay", help="run a bundle's jobs again here and compare the pictures")
    replay.add_argument("bundle", type=Path, metavar="FILE")
    replay.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the new runs; new or empty")
    replay.add_argument("--json", action="store_true", help="the report as JSON")
