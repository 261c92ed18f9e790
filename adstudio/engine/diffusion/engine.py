"""Jobs of diffusion models: the model is found, loaded or still there, and the run begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from adstudio.engine.backbones.base import Guidance
from adstudio.engine.backbones.parts import PromptEmbeddings
from adstudio.engine.control import ControlNet
from adstudio.engine.devices import choose_device, choose_dtype, is_out_of_memory
from adstudio.engine.diffusion.in_use import ModelInUse
from adstudio.engine.diffusion.loaded import Loaded, ModelKeeper
from adstudio.engine.diffusion.pictures import load_pictures
from adstudio.engine.diffusion.planning import planned
from adstudio.engine.diffusion.run import DiffusionRun
from adstudio.engine.interruption import Interrupted
from adstudio.errors import UnavailableError
from adstudio.jobs.beside import control_of, loras_of
from adstudio.jobs.defaults import check_model
from adstudio.jobs.events import Event, LoadingModel, Notice
from adstudio.jobs.host import RunControl, RunRequest
from adstudio.jobs.spec import Job
from adstudio.jobs.workload import cpu_threads
from adstudio.models.description import ModelDescription
from adstudio.models.families import FACTS, Family


class DiffusionEngine:
    """Computes jobs of diffusion models; see `adstudio.jobs.host.Engine`.

    The model stays in memory for the next job that asks for the same one.
    """

    def __init__(self, threads: int | None = None) -> None:
        """threads: for the CPU; None takes one for each core this process may use."""
        self._threads = threads or cpu_threads()
        self._keeper = ModelKeeper()

    def run(self, request: RunRequest, control: RunControl) -> Iterator[Event]:
        """Compute one job; see `adstudio.jobs.host.Engine.run`. Raises UnavailableError where memory runs out."""
        torch.set_num_threads(self._threads)
        job = request.job
        yield LoadingModel(model=job.model)
        try:
            model = check_model(job)
            assert model is not None
            device = choose_device(job.device)
            dtype = choose_dtype(job.precision, device, model.family, job.preset)
            ahead = planned(
                job,
                model,
                device,
                dtype,
                threads=self._threads,
                held_bytes=self._keeper.held_bytes(device),
                limit_bytes=request.memory_limit_bytes,
            )
            if ahead.notice:
                yield Notice(message=ahead.notice)
            self._keeper.begin(device, ahead.spare_bytes)
            for attempt in (1, 2):
                try:
                    loaded, guidance = self._load(job, model, device, dtype, control)
                    break
                except (MemoryError, RuntimeError) as error:
                    if not is_out_of_memory(error) or attempt == 2:
                        raise
                self._keeper.drop()
                yield Notice(message="Memory ran out while the model was loaded: what was kept was let go of.")
            side_px = model.native_side_px
            pictures = load_pictures(job, side_px, loaded.backbone().latent_px, control.interrupted)
            steering = control_of(job, model)
            if job.control is not None and steering is not None and pictures.control is not None:
                network = self._keeper.control(steering, device, dtype)
                guidance = replace(guidance, control=ControlNet(network, pictures.control, job.control.scale))
            in_use = ModelInUse(loaded, job, pictures, guidance, self._keeper, side_px, ahead.plan.means)
            try:
                yield from DiffusionRun(request, control, pictures, in_use, ahead).events()
            finally:
                if in_use.means.vae_on_cpu:
                    self._keeper.drop()
        except Interrupted:
            return
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            self._keeper.drop()
            raise UnavailableError(
                f"there is not enough memory for a picture of {job.width} × {job.height} pixels with "
                f"{FACTS[model.family].title if model is not None else job.model}; make it smaller, set method to "
                "multidiffusion, or close other programs"
            ) from error

    def release(self) -> None:
        """Let go of the model and of everything that is kept in memory for later jobs; files stay."""
        self._keeper.release()

    def _load(
        self, job: Job, model: ModelDescription, device: torch.device, dtype: torch.dtype, control: RunControl
    ) -> tuple[Loaded, Guidance]:
        """The model and what its steps are told. The text encoders are gone again before the denoiser is read."""
        stop = control.interrupted
        loras = loras_of(job, model)
        told: dict[str, PromptEmbeddings] = {}
        for prompt in dict.fromkeys((job.prompt, job.negative_prompt)):
            if prompt:
                told[prompt] = self._keeper.prompt(model, device, dtype, prompt, stop, loras)
        loaded = self._keeper.loaded(model, device, dtype, stop, loras)
        empty = loaded.parts.empty_prompt
        scale = job.guidance_scale if job.guidance_scale is not None else 1.0
        negative = None if model.family is Family.FLUX else told.get(job.negative_prompt, empty)
        return loaded, Guidance(positive=told.get(job.prompt, empty), negative=negative, scale=scale)
