"""LoRA files and the ControlNet among the parameters: added, refused, waiting, missing, run and restored."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot
from safetensors.torch import save_file

from adstudio.jobs.choices import ControlKind, Method, Task
from adstudio.jobs.files import load_job
from adstudio.models.families import Family
from adstudio.models.library import add_to_library, remove_from_library
from adstudio.models.library_file import Kind
from tests.engine.test_control import HINT, tensors_of, tiny_control, write_control
from tests.engine.test_job_loras import NAME, write_lora
from tests.engine.tiny_models import tiny_model, write_folder
from tests.ui.model_files import write_lora as write_lora_of
from tests.ui.pictures import gradient, save
from tests.ui.test_end_to_end_models import lay_out, real, run
from ui.main_window import MainWindow
from ui.state.beside import Fit
from ui.widgets.choice_row import ChoiceRow

__all__ = ["real"]


@pytest.fixture
def painter(tmp_path: Path) -> Path:
    """A tiny model, "painter"; a LoRA file beside it that is not on the list; a ControlNet, "edges canny"."""
    model = write_folder(tiny_model(Family.SD15), tmp_path / "painter")
    add_to_library(model)
    unet = model / "unet" / "diffusion_pytorch_model.safetensors"
    write_lora(tmp_path / "ink.safetensors", f"lora_unet_{NAME.replace('.', '_')}", unet)
    add_to_library(
        write_control(tiny_control(tiny_model(Family.SD15).parts["unet"], hint=HINT), tmp_path / "edges canny")
    )
    return tmp_path


def ready(window: MainWindow, qtbot: QtBot, folder: Path, task: Task = Task.STYLE_TRANSFER) -> None:
    lay_out(window, qtbot, folder, task, "painter")
    window.resize(1280, 1200)


def drop(window: MainWindow, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    window.parameters.loras.empty.dropEvent(
        QDropEvent(
            QPointF(5, 5),
            Qt.DropAction.CopyAction,
            mime,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )


def test_a_dropped_lora_is_run_restored_and_missed(filled: MainWindow, qtbot: QtBot, painter: Path) -> None:
    """Without the engine: from the drop to the job, over other models and back, and gone from the library."""
    ready(filled, qtbot, painter)
    session, section = filled.bench.session, filled.parameters.loras
    drop(filled, painter / "ink.safetensors")
    qtbot.waitUntil(lambda: len(session.setup.loras) == 1, timeout=10_000)
    (card,) = section.cards()
    card.slider.setValue(card.slider.maximum())
    (lora,) = session.job().loras
    assert (str(lora.path), lora.weight) == ("ink", 2.0)
    session.undo()
    assert session.job().loras[0].weight == 1
    session.choose_model("patch")
    assert not section.isVisible() and session.job().loras == ()
    session.choose_model("painter")
    qtbot.waitUntil(lambda: section.isVisible(), timeout=10_000)
    assert len(session.job().loras) == 1
    job = session.job()
    remove_from_library("ink")
    filled.bench.models.refresh()
    qtbot.waitUntil(lambda: "ink is not installed" in session.problem(), timeout=10_000)
    section.show_setup()
    assert "ink is not installed" in section.cards()[0].words.text()
    section.cards()[0].remove.click()
    assert session.problem() == "" and session.job().loras == ()
    filled.bench.past.restore_job(job)
    qtbot.waitUntil(lambda: "ink is not installed" in session.problem(), timeout=10_000)


def test_loras_that_do_not_fit_are_refused_where_they_were_dropped(
    filled: MainWindow, qtbot: QtBot, painter: Path
) -> None:
    ready(filled, qtbot, painter)
    section = filled.parameters.loras
    foreign = write_lora_of(painter / "grand.safetensors", Family.SDXL)
    drop(filled, foreign)
    qtbot.waitUntil(lambda: section.refusal.text() != "", timeout=10_000)
    assert section.refusal.text() == "grand is made for SDXL, and painter is SD 1.5."
    control = painter / "no lora.safetensors"
    save_file(tensors_of(tiny_control(tiny_model(Family.SD15).parts["unet"])), control)
    control.with_suffix(".json").write_text((painter / "edges canny" / "config.json").read_text())
    drop(filled, control)
    qtbot.waitUntil(lambda: "is no LoRA file" in section.refusal.text(), timeout=10_000)
    assert filled.bench.session.setup.loras == ()
    offered = [action.text() for action in section.make_menu().actions()]
    assert "grand" not in offered and offered[-1] == "From a file …"


def test_a_lora_waits_for_its_family(filled: MainWindow, qtbot: QtBot, painter: Path) -> None:
    add_to_library(write_folder(tiny_model(Family.SDXL), painter / "grand painter"))
    add_to_library(write_lora_of(painter / "small.safetensors", Family.SD15))
    ready(filled, qtbot, painter)
    session = filled.bench.session
    session.beside.add_lora("small")
    session.choose_model("grand painter")
    qtbot.waitUntil(lambda: session.setup.model == "grand painter", timeout=10_000)
    (state,) = session.beside.loras()
    assert (state.fit, state.words) == (Fit.WAITS, "Waits for SD 1.5; not used with this model.")
    assert session.problem() == "" and session.job().loras == ()


def test_following_edges_asks_for_what_is_missing_and_shows_what_is_seen(
    filled: MainWindow, qtbot: QtBot, painter: Path
) -> None:
    ready(filled, qtbot, painter)
    session, section = filled.bench.session, filled.parameters.control
    session.set_value("method", "optimize")
    session.set_value("num_inference_steps", 7)
    section.follow.changed.emit("canny")
    job = session.job()
    assert job.control is not None
    assert (job.control.kind, job.control.model, job.control.image) == (ControlKind.CANNY, "edges canny", job.content)
    assert job.method is None and job.num_inference_steps is None, "guided sampling has settings of its own"
    row = filled.parameters.rows["method"]
    assert isinstance(row, ChoiceRow) and row.field.currentText() == "Guided sampling"
    assert "denoising_strength" in filled.parameters.rows and "variation" not in filled.parameters.rows
    qtbot.waitUntil(lambda: section.shown.isVisible(), timeout=10_000)
    section.follow.changed.emit("depth")
    assert session.problem() == section.words.text() == "Open the depth map."
    session.beside.set_control_picture(save(painter / "depth.png", gradient(40, 30)))
    qtbot.waitUntil(lambda: session.problem() == "", timeout=10_000)
    found = session.job().control
    assert found is not None and found.image == painter / "depth.png"
    session.set_value("method", Method.OPTIMIZE.value)
    assert session.job().control is None and "guided sampling" in section.words.text()
    section.follow.changed.emit("")
    assert session.setup.control is None and section.words.text() == ""


def test_a_controlnet_from_a_folder_and_one_of_another_family(filled: MainWindow, qtbot: QtBot, painter: Path) -> None:
    ready(filled, qtbot, painter)
    session, section = filled.bench.session, filled.parameters.control
    section.follow.changed.emit("line_art")
    wide = write_control(tiny_control(tiny_model(Family.SDXL).parts["unet"]), painter / "lines xl")
    session.beside.bring_control(wide)
    qtbot.waitUntil(lambda: "lines xl" in session.problem(), timeout=10_000)
    assert "ControlNet for SDXL, and painter is SD 1.5" in section.words.text()
    session.beside.bring_control(painter / "painter")
    qtbot.waitUntil(lambda: "is no ControlNet" in section.refusal.text(), timeout=10_000)
    assert [one.name for one in session.beside.offered(Kind.CONTROL)] == ["edges canny"]


def test_a_run_with_both_comes_back_from_the_history(real: MainWindow, qtbot: QtBot, painter: Path) -> None:
    ready(real, qtbot, painter)
    session = real.bench.session
    session.beside.bring_loras([painter / "ink.safetensors"])
    qtbot.waitUntil(lambda: len(session.setup.loras) == 1, timeout=10_000)
    session.beside.set_lora_weight("ink", 0.5)
    session.beside.follow(ControlKind.CANNY)
    session.beside.set_control_scale(0.75)
    session.set_value("num_inference_steps", 2)
    session.set_value("iterations", 1)
    session.set_value("denoising_strength", 0.5)
    folder = run(real, qtbot)
    written = load_job(folder / "job.json")
    assert written.control is not None and written.method is Method.SAMPLE
    before = session.setup
    session.beside.follow(None)
    session.beside.remove_lora("ink")
    session.choose_model("patch")
    entry = real.bench.history.entry(0)
    assert entry is not None
    real.bench.past.restore(entry)
    qtbot.waitUntil(lambda: session.setup.model == "painter" and session.problem() == "", timeout=10_000)
    assert session.setup.loras == before.loras
    assert session.setup.control == before.control
    assert session.setup.value("denoising_strength") == 0.5
    again = session.job()
    assert again.control is not None and again.control.image == again.content
