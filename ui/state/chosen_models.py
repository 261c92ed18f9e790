"""Which model each task uses, and the settings that wait for a model while another one is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from adstudio.jobs.choices import Task
from adstudio.jobs.defaults import PATCH_MODEL
from adstudio.jobs.parameters import Parameter
from ui.state.model_choice import default_model
from ui.state.model_library import ModelLibrary
from ui.state.setup import ParameterValue, Setup


class ChosenModels:
    """Kept from one start of the window to the next."""

    def __init__(self, models: ModelLibrary) -> None:
        self._models = models
        self._by_task: dict[Task, str] = {}
        self._wished: dict[Task, str] = {}
        self._left: dict[str, tuple[tuple[str, ParameterValue], ...]] = {}

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
        self, setup: Setup, before: Iterable[Parameter], model: str, after: Iterable[Parameter]
    ) -> tuple[tuple[str, ParameterValue], ...]:
        """The values that go with a change of the model.

        What means the same for both models stays. A setting whose default differs (steps, say) belongs to its model: it
        is left behind, and is there again when that model is.
        """
        old = {parameter.name: parameter.default for parameter in before}
        new = {parameter.name: parameter.default for parameter in after}
        own = {name for name in old.keys() & new.keys() if old[name] != new[name]}
        self._left[setup.model] = setup.values
        kept = {name: value for name, value in setup.values if name not in own}
        back = {name: value for name, value in self._left.get(model, ()) if name in own}
        return tuple(sorted((kept | back).items()))
