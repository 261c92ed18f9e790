"""Which model each task uses, and the settings that wait for a model while another one is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from adstudio.jobs.choices import Task
from adstudio.jobs.defaults import PATCH_MODEL
from adstudio.jobs.parameters import Parameter
from ui.state.beside import chosen_method
from ui.state.model_choice import default_model
from ui.state.model_library import ModelLibrary
from ui.state.setup import ParameterValue, Setup

_METHOD = "method"


class ChosenModels:
    """Kept from one start of the window to the next."""

    def __init__(self, models: ModelLibrary) -> None:
        self._models = models
        self._by_task: dict[Task, str] = {}
        self._wished: dict[Task, str] = {}
        self._left: dict[tuple[str, str], tuple[tuple[str, ParameterValue], ...]] = {}

    @property
    def by_task(self) -> dict[Task, str]:
        """What was chosen, by task; a task that uses what it begins with is left out."""
        known = {**self._wished, **self._by_task}
        return {task: model for task, model in known.items() if model != PATCH_MODEL}

    def wish(self, by_task: Mapping[Task, str]) -> None:
        """What was chosen before the window was last closed; used as far as it is installed."""
        self._wished = dict(by_task)

    def remember(self, task: Task, model: str) -> None:
        """This task uses this model now."""
        self._by_task[task] = model
        if model != PATCH_MODEL or self._models.loaded:
            self._wished.pop(task, None)

    def for_task(self, task: Task) -> str:
        """What a task should use."""
        wished = self._wished.get(task)
        if wished is not None and self._models.find(wished) is not None:
            return wished
        chosen = self._by_task.get(task, PATCH_MODEL)
        return default_model(task, self._models) if chosen == PATCH_MODEL else chosen

    def carry(
        self, old: Setup, before: Iterable[Parameter], new: Setup, after: Iterable[Parameter]
    ) -> tuple[tuple[str, ParameterValue], ...]:
        """The values of a changed setup, which still has those of the old one.

        What means the same for both models and methods stays. A setting whose default differs (steps, say) belongs to
        its model and method: it is left behind, and is there again when they are.
        """
        was, now = _defaults(before), _defaults(after)
        left, place = _place(old, was), _place(new, now)
        if left == place:
            return new.values
        own = {name for name in was.keys() & now.keys() if was[name] != now[name]} - {_METHOD}
        self._left[left] = old.values
        kept = {name: value for name, value in new.values if name not in own}
        back = {name: value for name, value in self._left.get(place, ()) if name in own}
        return tuple(sorted((kept | back).items()))


def _defaults(parameters: Iterable[Parameter]) -> dict[str, ParameterValue]:
    return {parameter.name: parameter.default for parameter in parameters}


def _place(setup: Setup, defaults: Mapping[str, ParameterValue]) -> tuple[str, str]:
    """Where settings of their own are kept: model and method."""
    if _METHOD not in defaults:
        return setup.model, ""
    chosen = chosen_method(setup)
    return setup.model, str(defaults[_METHOD]) if chosen is None else chosen.value
