"""Jobs of tiny diffusion models through the real engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adstudio.engine.runner import StudioEngine
from adstudio.jobs.host import RunRequest
from adstudio.models.families import Family
from tests.engine.studio import Studio, marks, scene
from tests.engine.tiny_models import VOCABULARY, tiny_model, write_folder, write_json


class DiffusionStudio(Studio):
    """A studio whose jobs take the tiny model of a family, with few steps unless they say otherwise."""

    def __init__(self, folder: Path, models: Path, engine: StudioEngine) -> None:
        super().__init__(folder, engine)
        self._models = models
        self.save("content.png", scene(64, 48))
        self.save("style.png", marks(60, 60))

    def model(self, family: Family) -> str:
        """Path of a family's model, written when it is first asked for."""
        path = self._models / family.value
        if not path.exists():
            write_folder(tiny_model(family), path)
            if family in (Family.SD15, Family.SDXL):
                for name in ("tokenizer", "tokenizer_2")[: 2 if family is Family.SDXL else 1]:
                    write_vocabulary(path / name)
        return str(path)

    def request(self, *, family: Family = Family.SD15, **fields: Any) -> RunRequest:
        """A run folder for a job with these fields."""
        chosen: dict[str, Any] = {
            "model": self.model(family),
            "num_inference_steps": 4,
            "styles": ["style.png"],
            **fields,
        }
        if family is Family.FLUX:  # its own side is not in its config: 1024, more than 4 px latents can bear
            chosen.setdefault("stroke_scale", 0.1)
        if chosen.setdefault("task", "style_transfer") in ("style_transfer", "appearance_transfer"):
            chosen.setdefault("content", "content.png")
        return super().request(**chosen)


def write_vocabulary(folder: Path) -> None:
    """A CLIP vocabulary of as many words as the tiny models have."""
    letters = [f"{chr(ord('a') + number)}</w>" for number in range(26)]
    rest = [f"w{number}" for number in range(VOCABULARY - 28)]
    words = [*letters, *rest, "<|startoftext|>", "<|endoftext|>"]
    write_json(folder / "vocab.json", {word: number for number, word in enumerate(words)})
    (folder / "merges.txt").write_text("#version: 0.2\n")
