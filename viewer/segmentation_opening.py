"""Opens segmentations beside images: files are told apart, the images come first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from viewer.libraries import loading
from viewer.worker import Job, Worker

if TYPE_CHECKING:
    from inference.opened_segments import OpenedSegmentation
    from inference.progress import Progress
    from viewer.opening import Opener
    from viewer.session import ReadingSession

__all__ = ["SegmentationOpener"]

_DICOM_ENDINGS = ("", ".dcm", ".dicom", ".seg", ".ima")
"""Of files that may be segmentations; "1.2.840.5" has an ending, too, a number."""


class SegmentationOpener(QObject):
    """Opens what is chosen: images by the opener, segmentations on the images that are open then.

    Parameters
    ----------
    session
        Receives segmentations and sentences.
    worker
        Reads files.
    opener
        Opens images.
    """

    def __init__(
        self,
        session: ReadingSession,
        worker: Worker,
        opener: Opener,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._worker = worker
        self._opener = opener

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open files and folders, segmentations among them on the images that come with them."""
        candidates = [path for path in paths if _may_be_one(path)]
        if not candidates:
            self._opener.open_paths(paths)
            return

        def work(progress: Progress) -> list[Path]:
            with loading("inference.export.seg_reading"):
                from inference.export.seg_reading import is_segmentation

            found = []
            for path in candidates:
                progress.report("Opening", 0, 0)
                if is_segmentation(path):
                    found.append(path)
            return found

        def done(found: list[Path]) -> None:
            images = [path for path in paths if path not in found]
            if images:
                then: Callable[[], None] | None = (lambda: self.open(found)) if found else None
                self._opener.open_paths(images, then)
            else:
                self.open(found)

        self._worker.cancel()
        self._submit("Opening", work, done)

    def open(self, paths: Sequence[Path]) -> None:
        """Show segmentations on the open series."""
        for path in paths:
            self._open(path)

    def _open(self, path: Path) -> None:
        volume = self._session.volume
        if volume is None or self._session.reading.active:
            self._session.post(
                "error",
                f"“{path.name}” is a segmentation; open the images that it belongs to first, or "
                "both together.",
            )
            return

        def work(progress: Progress) -> OpenedSegmentation:
            with loading("inference.export.seg_reading"):
                from inference.export.seg_reading import read_segmentation

            return read_segmentation(path, volume, progress)

        self._submit("Opening the segmentation", work, self._session.guests.open)

    def _submit(
        self, title: str, work: Callable[[Progress], Any], done: Callable[[Any], None]
    ) -> None:
        def failed(sentence: str) -> None:
            self._session.post("error", sentence)

        self._worker.submit(Job(title, work, done, failed))


def _may_be_one(path: Path) -> bool:
    ending = path.suffix.lower()
    named_so = ending in _DICOM_ENDINGS or ending[1:].isdecimal()
    return named_so and not path.is_dir()
