"""Jobs as JSON: read, write, change from the command line, and the schema."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any

from pydantic import ValidationError

from adstudio.errors import JobError
from adstudio.jobs.messages import in_one_line, job_error, model_of, unknown_field
from adstudio.jobs.spec import Job
from adstudio.models.find import is_model_path

MAX_JOB_FILE_BYTES = 1_000_000
_PICTURES = ("content", "content_mask", "protect_mask", "start_image")
_TEXT_FIELDS = frozenset(
    {
        "model",
        "content",
        "image",
        "mask",
        "path",
        "content_mask",
        "protect_mask",
        "start_image",
        "prompt",
        "negative_prompt",
        "layers",
        "scheduler",
        "preset",
        "kind",
        "task",
    }
)


def load_job(path: Path) -> Job:
    """The job in a file, its paths absolute (relative ones count from the file's folder).

    Raises JobError with one line naming the file or the field.
    """
    return parse_job(read_mapping(path), path.absolute().parent)


def read_mapping(path: Path) -> dict[str, Any]:
    """The JSON object in a job file, unchecked but free of NaN, Infinity and fields given twice."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_JOB_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise JobError(f"{path}: there is no such job file") from error
    except IsADirectoryError as error:
        raise JobError(f"{path}: is a folder; name the job file in it") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise JobError(f"{path}: the job file cannot be read ({reason})") from error
    if len(content) > MAX_JOB_FILE_BYTES:
        raise JobError(f"{path}: is larger than {MAX_JOB_FILE_BYTES // 1_000_000} MB and so not a job file")
    try:
        return mapping_from_text(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise JobError(f"{path}: is not UTF-8 text and so not a job file") from error
    except JobError as error:
        raise JobError(f"{path}: {error}", field=error.field) from error


def mapping_from_text(text: str) -> dict[str, Any]:
    """A JSON object from its text. Raises JobError for anything else, NaN, Infinity and repeated fields."""
    try:
        mapping = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise JobError(f"not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})") from error
    except (ValueError, RecursionError) as error:
        raise JobError("not valid JSON: a number is too long or the nesting too deep") from error
    if not isinstance(mapping, dict):
        raise JobError(f"a job is a JSON object {{…}}, got {in_one_line(mapping)}")
    _refuse_endless(mapping, "")
    return mapping


def parse_job(mapping: Mapping[str, Any], base_dir: Path) -> Job:
    """A validated job; relative paths, also of a model, are taken from base_dir.

    Raises JobError with one line naming the field, what is allowed and what was given.
    """
    try:
        job = Job.model_validate(dict(mapping))
    except ValidationError as error:
        raise job_error(error) from error
    return with_absolute_paths(job, base_dir)


def with_absolute_paths(job: Job, base_dir: Path) -> Job:
    """The job with every relative path counted from base_dir."""
    base = base_dir.absolute()
    changes: dict[str, Any] = {name: base / value for name in _PICTURES if (value := getattr(job, name)) is not None}
    changes["styles"] = tuple(
        style.model_copy(update={"image": base / style.image, "mask": base / style.mask if style.mask else None})
        for style in job.styles
    )
    if job.control is not None:
        network = job.control.model
        changes["control"] = job.control.model_copy(
            update={
                "image": base / job.control.image,
                "model": None if network is None else _placed(network, base),
            }
        )
    changes["loras"] = tuple(
        lora.model_copy(update={"path": Path(_placed(str(lora.path), base))}) for lora in job.loras
    )
    if is_model_path(job.model):
        changes["model"] = str(_lasting(base / job.model))
    return job.model_copy(update=changes)


def name_of_model(model: str) -> str:
    """What a model, LoRA file or ControlNet is called on any machine: a name as it is, of a path its last part."""
    if not is_model_path(model):
        return model
    return PurePath(model).stem if model.endswith(".safetensors") else PurePath(model).name


def _placed(name_or_path: str, base: Path) -> str:
    """A path counted from base; a name in the library stays, unless a file or folder of that name lies there."""
    is_name = not is_model_path(name_or_path) and not (base / name_or_path).exists()
    return name_or_path if is_name else str(_lasting(base / name_or_path))


def _lasting(path: Path) -> Path:
    """The same place without `..`: models are not copied, and the folder that it leads through may be gone one day."""
    return path.resolve() if ".." in path.parts else path


def job_to_mapping(job: Job, *, relative_to: Path | None = None) -> dict[str, Any]:
    """The JSON object of a job without its open fields; paths inside relative_to are written relative to it."""
    mapping: dict[str, Any] = job.model_dump(mode="json", exclude_none=True)
    if relative_to is None:
        return mapping
    base = relative_to.absolute()

    def shorten(owner: dict[str, Any], names: Iterable[str]) -> None:
        for name in names:
            if name in owner and Path(owner[name]).is_relative_to(base):
                owner[name] = Path(owner[name]).relative_to(base).as_posix()

    shorten(mapping, _PICTURES)
    for style in mapping["styles"]:
        shorten(style, ("image", "mask"))
    if "control" in mapping:
        shorten(mapping["control"], ("image",))
    return mapping


def job_to_json(job: Job, *, relative_to: Path | None = None) -> str:
    """The job as it stands in a job file; `parse_job` reads the same job back."""
    return (
        json.dumps(job_to_mapping(job, relative_to=relative_to), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    )


def json_schema() -> dict[str, Any]:
    """JSON Schema of the job file; each setting's `ui` holds its label, hint and usual range."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Job.model_json_schema()}


def apply_settings(mapping: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """A copy of a job's JSON object with "field=value" settings applied; dots lead into lists and objects.

    A value is JSON where it parses as such (numbers, true, null, lists) and otherwise text. The index one past the
    end of a list adds to it. Raises JobError where a setting cannot be applied; values are checked by `parse_job`.
    """
    changed = copy.deepcopy(dict(mapping))
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name.strip():
            raise JobError(f"--set: must be field=value, got {in_one_line(setting)}")
        _assign(changed, name.strip(), text)
    return changed


def _assign(mapping: dict[str, Any], name: str, text: str) -> None:
    parts = name.split(".")
    owner: Any = mapping
    for depth, part in enumerate(parts[:-1]):
        owner = _step(owner, part, ".".join(parts[: depth + 1]), next_is_index=parts[depth + 1].isdecimal())
    last = parts[-1]
    value = _value(last, text)
    if isinstance(owner, dict):
        owner[last] = value
    elif isinstance(owner, list) and last.isdecimal() and int(last) < len(owner):
        owner[int(last)] = value
    else:
        raise _no_such_place(owner, name)


def _step(owner: Any, part: str, name: str, *, next_is_index: bool) -> Any:
    if isinstance(owner, list) and part.isdecimal() and len(part) < 6 and int(part) <= len(owner):
        if int(part) == len(owner):
            owner.append({})
        return owner[int(part)]
    if isinstance(owner, dict):
        known = Job.model_fields.get(part)
        if part in owner and isinstance(owner[part], (dict, list)):
            return owner[part]
        if known is not None and part in ("styles", "control", "loras", "digests"):
            owner[part] = [] if next_is_index else {}
            return owner[part]
    raise _no_such_place(owner, name)


def _no_such_place(owner: Any, name: str) -> JobError:
    """What to say of a place in a job to which a setting cannot go."""
    above, _, part = name.rpartition(".")
    if isinstance(owner, list):
        wanted, shown = f"0 to {len(owner)}" if owner else "0", in_one_line(part).strip('"')
        return JobError(f"{name}: {above} is a list; its places are {wanted}, got {shown}", field=name)
    root = name.split(".", maxsplit=1)[0]
    model = model_of(root) if above else Job
    if isinstance(owner, dict) and part not in model.model_fields:
        return JobError(f"{name}: {unknown_field(part, model)}", field=name)
    whole = name if isinstance(owner, dict) else above
    return JobError(f"{whole}: has no parts; set it as a whole ({whole}=…)", field=whole)


def _value(field: str, text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if field in _TEXT_FIELDS and not isinstance(value, str) and value is not None:
        return text
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise JobError(f"{name}: given twice", field=name)
        found[name] = value
    return found


def _refuse_endless(value: Any, name: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise JobError(f"{name}: must be a finite number, got {in_one_line(value)}", field=name)
    if isinstance(value, (dict, list)):
        for part, inner in value.items() if isinstance(value, dict) else enumerate(value):
            _refuse_endless(inner, f"{name}.{part}" if name else str(part))
