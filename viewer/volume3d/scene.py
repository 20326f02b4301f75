"""What of the session is shown in 3D, and how far its preparation has come; no widget."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage

from viewer.theme import findings_colour, on_image
from viewer.volume3d.grid import CPU_VOXELS, GPU_VOXELS, Prepared, prepare, refusal
from viewer.volume3d.link import Link
from viewer.volume3d.shells import LUNGS, shells
from viewer.volume3d.wire import (
    Failed,
    Frame,
    Hello,
    Look,
    Pick,
    Picked,
    SetSurfaces,
    SetVolume,
    Style,
    SurfacesReady,
)
from viewer.worker import Job, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QColor

    from inference.progress import Progress
    from inference.studies.model import Volume
    from viewer.session import ReadingSession
    from viewer.volume3d.presets import Preset
    from viewer.volume3d.wire import Shell

__all__ = ["Scene"]

_LUNG_OPACITY = 0.14


class Scene(QObject):
    """The session's volume and masks on their way to the rendering process, and pictures back.

    `start` it when a pane is shown, `stop` it when it is hidden, `close` it in the end.

    Parameters
    ----------
    session
        What is shown.
    may_use_gpu
        False: the processor casts the rays even where there is a graphics card.
    """

    changed = Signal()
    """Something else is to be drawn, or said."""
    volume_ready = Signal()
    """Another volume can be drawn."""
    pictured = Signal(QImage, object)
    """A picture came, with the `Look` that it shows."""
    picked = Signal(object)
    """LPS mm of the place that was asked for, shape (3,)."""
    dropped = Signal()
    """Pictures that came until now show what is no longer true."""

    def __init__(self, session: ReadingSession, may_use_gpu: bool = True) -> None:
        super().__init__()
        self._session = session
        self._may_use_gpu = may_use_gpu
        self._worker = Worker("3D preparation")
        self._jobs: list[Job] = []
        self._link: Link | None = None
        self._hello: Hello | None = None
        self._failure = ""
        self._preparing = ""
        self._volume = self._surfaces = 0
        self._names: tuple[str, ...] = ()
        self._surfaces_due = False
        self._asked: dict[int, Look] = {}
        self._serial = 0
        self.bounds: NDArray[np.float64] | None = None
        """Lowest and highest LPS mm of the volume that can be drawn, shape (2, 3), or None."""
        self.mm = 0.0
        """Edge of its voxels."""
        self.lungs_shown = True
        session.volume_changed.connect(self._on_volume)
        session.findings_changed.connect(self._on_findings)
        session.layers_changed.connect(self.changed)

    # -- life --------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the process that renders."""
        if self._link is None:
            self._failure = ""
            self._link = Link(self._may_use_gpu)
            self._link.heard.connect(self._on_heard, Qt.ConnectionType.QueuedConnection)
            self.changed.emit()

    def stop(self) -> None:
        """End that process, and let all that was prepared go."""
        self._cancel()
        if self._link is not None:
            self._link.heard.disconnect(self._on_heard)
            self._link.close()
            self._link = None
        self._hello = None
        self._forget()

    def close(self) -> None:
        """Stop for good; the session is no longer listened to."""
        self.stop()
        # Of a window that goes as a whole the session goes first.
        with suppress(RuntimeError):
            self._session.volume_changed.disconnect(self._on_volume)
            self._session.findings_changed.disconnect(self._on_findings)
            self._session.layers_changed.disconnect(self.changed)
        self._worker.close()

    # -- what is said ------------------------------------------------------------------------

    @property
    def sentence(self) -> str:
        """Why nothing is drawn (yet); empty when something is."""
        volume = self._session.volume
        if volume is None:
            return "Open a series of CT slices to see it in 3D."
        if refused := refusal(volume):
            return refused
        if self._session.reading.active:
            return "Waiting for the slices…"
        if self._failure:
            return self._failure
        if self._hello is None:
            return "Starting 3D…"
        return "" if self.bounds is not None else self._preparing

    @property
    def busy_text(self) -> str:
        """What is being made while something is drawn already; empty when nothing is."""
        return "Making the surfaces of the findings…" if self._surfaces_due else ""

    @property
    def caster_text(self) -> str:
        """Who casts the rays."""
        if self._hello is None:
            return ""
        return "GPU ray casting" if self._hello.gpu else "CPU ray casting: slower, coarser"

    @property
    def has_lungs(self) -> bool:
        """The lungs' surface can be drawn."""
        return LUNGS in self._names

    def styles(self, preset: Preset | None) -> dict[str, Style]:
        """Surfaces that are visible now, with a transfer function or without the volume.

        Inside the volume lesions are opaque, since what is translucent cannot be sorted with it,
        and would be drawn as if behind all of it. Where the volume shows the lungs, their surface
        is left out.
        """
        if not self._session.overlays_on:
            return {}
        found: dict[str, Style] = {
            layer.key.value: Style(
                _rgb(findings_colour(layer.key)), layer.opacity if preset is None else 1.0
            )
            for layer in self._session.layers
            if layer.visible and layer.key.value in self._names and layer.opacity > 0.0
        }
        if self.lungs_shown and LUNGS in self._names and not (preset and preset.inside):
            found[LUNGS] = Style(_rgb(on_image("text")), _LUNG_OPACITY)
        return found

    # -- asking ------------------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        """A picture has been asked for and has not come."""
        return bool(self._asked)

    def next_serial(self) -> int:
        """Give a number to a picture that is about to be asked for."""
        self._serial += 1
        return self._serial

    def ask(self, look: Look) -> None:
        """Ask for a picture."""
        if self._link is not None and self.bounds is not None:
            self._asked[look.serial] = look
            self._link.look(look)

    def pick(self, look: Look, x: float, y: float) -> None:
        """Ask what is seen at a share of width and height."""
        if self._link is not None and self.bounds is not None:
            self._link.send(Pick(look, x, y))

    # -- the session changed -----------------------------------------------------------------

    def _on_volume(self) -> None:
        self._cancel()
        self._forget()
        if self._link is None or self._hello is None:
            return
        # The process lets go of the volume before the next one is made.
        self._link.send(SetVolume(self._volume, None))
        self._link.send(SetSurfaces(self._surfaces, ()))
        volume = self._session.volume
        # A volume that is still being read comes again when it is whole.
        if volume is not None and refusal(volume) is None and not self._session.reading.active:
            self._prepare(volume)
        self._on_findings()

    def _prepare(self, volume: Volume) -> None:
        budget = GPU_VOXELS if self._hello is not None and self._hello.gpu else CPU_VOXELS
        self._preparing = "Preparing the volume for 3D…"
        self._submit(
            "Preparing 3D", lambda progress: prepare(volume, budget, progress), self._on_prepared
        )

    def _on_prepared(self, prepared: Prepared) -> None:
        if self._link is None:
            return
        self.bounds, self.mm, self._preparing = prepared.bounds, prepared.mm, ""
        self._link.send(SetVolume(self._volume, prepared))
        self.volume_ready.emit()
        self.changed.emit()

    def _on_findings(self) -> None:
        had, self._names = bool(self._names), ()
        self._surfaces += 1
        self._surfaces_due = False
        if self._link is None or self._hello is None:
            return
        if had:
            self.dropped.emit()
        self._link.send(SetSurfaces(self._surfaces, ()))
        findings, volume = self._session.findings, self._session.volume
        if findings is None or volume is None or refusal(volume) is not None:
            self.changed.emit()
            return
        token = self._surfaces

        def made(cut: tuple[Shell, ...]) -> None:
            # Other findings may have come while these were cut out.
            if self._link is None or token != self._surfaces:
                return
            if cut:
                self._link.send(SetSurfaces(token, cut))
            else:
                self._surfaces_due = False
                self.changed.emit()

        self._surfaces_due = True
        self._submit("Preparing surfaces", lambda progress: shells(findings, progress), made)
        self.changed.emit()

    def _submit(
        self, title: str, work: Callable[[Progress], Any], done: Callable[[Any], None]
    ) -> None:
        def finish(result: object) -> None:
            # A job holds the volume or the findings that it was made of.
            self._jobs.remove(job)
            done(result)

        job = Job(title, work, finish, self._on_failed, quiet=True)
        self._jobs.append(self._worker.submit(job))

    def _cancel(self) -> None:
        for job in self._jobs:
            job.cancel()
        self._jobs.clear()

    def _forget(self) -> None:
        """Nothing of what was drawn is true any more."""
        self._volume += 1
        self._surfaces += 1
        self._names, self._surfaces_due = (), False
        self._asked.clear()
        self.bounds, self.mm, self._preparing = None, 0.0, ""
        self.dropped.emit()
        self.changed.emit()

    # -- the process answered ----------------------------------------------------------------

    def _on_heard(self, answer: object) -> None:
        if self._link is None:
            return
        match answer:
            case Hello():
                self._hello = answer
                self._on_volume()
            case Failed():
                self._on_failed(answer.sentence)
            case SurfacesReady() if answer.token == self._surfaces and answer.names:
                self._names, self._surfaces_due = answer.names, False
                self.changed.emit()
            case Frame():
                self._on_frame(answer)
            case Picked() if answer.point is not None:
                self.picked.emit(answer.point)

    def _on_frame(self, frame: Frame) -> None:
        look = self._asked.get(frame.serial)
        self._asked = {n: each for n, each in self._asked.items() if n > frame.serial}
        if look is None or (frame.volume, frame.surfaces) != (self._volume, self._surfaces):
            return
        height, width, _ = frame.pixels.shape
        image = QImage(frame.pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self.pictured.emit(image.copy(), look)

    def _on_failed(self, sentence: str) -> None:
        self._failure = sentence
        self.bounds = None
        self.dropped.emit()
        self.changed.emit()


def _rgb(shade: QColor) -> tuple[float, float, float]:
    return shade.redF(), shade.greenF(), shade.blueF()
