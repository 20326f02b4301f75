"""Export from the window: where to, then the writing on a worker."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from inference.errors import ExportRefusedError, SecondReadError
from inference.progress import Progress
from viewer.export_places import free_name, suggested_name
from viewer.libraries import loading
from viewer.reading import STILL_READING
from viewer.worker import Job, Worker

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from inference.findings import Findings
    from inference.lesion_review import Decisions
    from inference.measurements import Measurement
    from inference.studies.model import Series, Study, Volume
    from viewer.session import ReadingSession

__all__ = ["FORMATS", "Exporter", "Format", "ask_with_dialog", "write_picture"]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file that can be written.

    Parameters
    ----------
    title
        Title of the dialog.
    suffix
        With the dot.
    filter
        Name filter of the dialog.
    suggestion
        File name that would do for any study, see `viewer.export_places.suggested_name`.
    others
        Endings that will do as well, with the dot.
    """

    title: str
    suffix: str
    filter: str
    suggestion: str
    others: tuple[str, ...] = ()


FORMATS = {
    "seg": Format("Export DICOM segmentation", ".dcm", "DICOM (*.dcm)", "seg.dcm"),
    "nifti": Format("Export label map", ".nii.gz", "NIfTI (*.nii.gz)", "labels.nii.gz"),
    "csv": Format("Export lesion list", ".csv", "CSV (*.csv)", "lesions.csv"),
    "json": Format("Export findings", ".json", "JSON (*.json)", "findings.json"),
    "measurements": Format(
        "Export measurements",
        ".csv",
        "Table (*.csv);;JSON (*.json)",
        "measurements.csv",
        (".json",),
    ),
    "sr": Format("Export DICOM report", ".dcm", "DICOM (*.dcm)", "measurements.dcm"),
    "png": Format("Export picture", ".png", "PNG (*.png)", "view.png"),
}


def ask_with_dialog(
    parent: QWidget, chosen: Format, folder: Path, session: ReadingSession
) -> Path | None:
    """Ask for a file; None when the reader thinks better of it.

    Parameters
    ----------
    parent
        The window.
    chosen
        What is to be written.
    folder
        Where it is offered to go; made where it is not there, and away again when unused.
    session
        What is open: the name that is offered is of its study.
    """
    made = _make_folder(folder)
    offered = free_name(folder, suggested_name(session, chosen.suggestion))
    name, _ = QFileDialog.getSaveFileName(parent, chosen.title, str(offered), chosen.filter)
    if made and not (name and Path(name).parent == folder):
        with suppress(OSError):
            folder.rmdir()
    return Path(name) if name else None


def _make_folder(folder: Path) -> bool:
    """Make a folder; say whether it had not been there. Where it cannot be, the dialog says so."""
    if folder.is_dir():
        return False
    with suppress(OSError):
        folder.mkdir(parents=True)
        return True
    return False


class Exporter(QObject):
    """Writes what the session shows.

    Parameters
    ----------
    session
        Gives volume and findings, receives sentences.
    worker
        Does the writing.
    ask
        Asks for the file; given the format.
    picture
        Draws the current view with overlays and banner.
    """

    written = Signal(object)
    """A file (`pathlib.Path`) has been written."""

    def __init__(
        self,
        session: ReadingSession,
        worker: Worker,
        ask: Callable[[Format], Path | None],
        picture: Callable[[], QImage],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._worker = worker
        self._ask = ask
        self._picture = picture

    def export(self, kind: str) -> None:
        """Ask where to and write; `kind` is a key of `FORMATS`."""
        chosen = FORMATS[kind]
        try:
            work = self._work(kind)
        except SecondReadError as error:
            self._session.post("error", str(error))
            return
        kept = self._session.kept
        doubt = ""
        if kept is not None and kept.stale and kind in {"seg", "nifti", "csv", "json"}:
            doubt = f"Not current: {kept.sentence()}"
        if kind == "png" and self._session.guests.of(self._session.volume):
            doubt = "The opened segmentations are not in the picture."
        path = self._ask(chosen)
        if path is None:
            return
        if not path.name.lower().endswith((chosen.suffix, *chosen.others)):
            path = path.with_name(path.name + chosen.suffix)
        self._worker.submit(
            Job(
                "Exporting",
                lambda progress: _write(work, path, progress),
                partial(self._written, path, doubt),
                partial(self._session.post, "error"),
            )
        )

    def _written(self, path: Path, doubt: str, note: str) -> None:
        self.written.emit(path)
        if note or doubt:
            # It says what the file lacks, and stays when the message that it is there has gone.
            said = " ".join(filter(None, (note, doubt)))
            self._session.post("warning", f"“{path.name}”: {said}")

    def _work(self, kind: str) -> Callable[[Path], str]:
        """Take hold of what is shown now; what comes on the screen later is not what was asked."""
        session = self._session
        if session.reading.active:
            raise ExportRefusedError(STILL_READING)
        if kind in {"measurements", "sr"}:
            return self._measurements(_write_sr if kind == "sr" else _write_measurements)
        if session.early is not None:
            raise ExportRefusedError(
                "The analysis is still running and its early results cannot be exported; wait for "
                "its end, or cancel it."
            )
        if kind == "png":
            return partial(_write_picture, self._picture())
        volume, findings, study, series = (
            session.volume,
            session.findings,
            session.study,
            session.series,
        )
        if volume is None or findings is None or study is None or series is None:
            press = session.manner.press("analyse", "Analyse")
            raise ExportRefusedError(f"There are no findings to export; {press} first.")
        if kind == "seg":
            return partial(_write_seg, findings, volume)
        if kind == "nifti":
            return partial(_write_nifti, findings, volume)
        if kind == "csv":
            return partial(_write_csv, findings, volume, dict(session.review.decisions))
        decisions = dict(session.review.decisions)
        return partial(_write_json, findings, study, series, volume, decisions)

    def _measurements(
        self, write: Callable[[tuple[Measurement, ...], Volume, Path], str]
    ) -> Callable[[Path], str]:
        notebook = self._session.measurements
        if notebook.volume is None or not notebook.measurements:
            raise ExportRefusedError("There are no measurements to export; make one first.")
        return partial(write, notebook.measurements, notebook.volume)


def _write(work: Callable[[Path], str], path: Path, progress: Progress) -> str:
    progress.report("Exporting", 0, 0)
    try:
        return work(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ExportRefusedError(
            f"{path.name} could not be written ({reason}); choose another folder."
        ) from error


def _write_seg(findings: Findings, volume: Volume, path: Path) -> str:
    with loading("inference.export.seg"):
        from inference.export import seg

    seg.write_seg(findings, volume, path)
    return ""


def _write_nifti(findings: Findings, volume: Volume, path: Path) -> str:
    with loading("inference.export.labels", "SimpleITK"):
        from inference.export import labels

    return labels.write_nifti(findings, volume, path)


def _write_csv(findings: Findings, volume: Volume, decisions: Decisions, path: Path) -> str:
    from inference.export import lesion_table

    return lesion_table.write_csv(findings, volume, path, decisions=decisions)


def _write_json(
    findings: Findings,
    study: Study,
    series: Series,
    volume: Volume,
    decisions: Decisions,
    path: Path,
) -> str:
    from inference.export import report

    report.write_json(findings, study, series, volume, path, decisions=decisions)
    return ""


def _write_measurements(measurements: tuple[Measurement, ...], volume: Volume, path: Path) -> str:
    from inference.measurements import table

    table.write(measurements, volume, path)
    return ""


def _write_sr(measurements: tuple[Measurement, ...], volume: Volume, path: Path) -> str:
    with loading("inference.export.structured_report"):
        from inference.export import structured_report

    return structured_report.write_sr(measurements, volume, path)


def _write_picture(picture: QImage, path: Path) -> str:
    write_picture(picture, path)
    return ""


def write_picture(picture: QImage, path: Path) -> None:
    """Write a picture as PNG.

    Raises
    ------
    ExportRefusedError
        When it cannot be written; an earlier file stays.
    """
    from PySide6.QtGui import QImageWriter

    from inference.export import files

    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    # Not `picture.save`: its releases disagree on whether the format is text or bytes.
    if not QImageWriter(buffer, QByteArray(b"PNG")).write(picture):
        raise ExportRefusedError(
            f"{path.name} could not be written, since its picture cannot be stored as PNG."
        )
    files.write_bytes(path, bytes(buffer.data().data()))
