"""Keeps what a reader makes of a session: decisions on lesions, beside the measurements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject

from inference import review_store
from inference.errors import ExportRefusedError
from viewer.measuring.keeper import Keeper

if TYPE_CHECKING:
    from inference.findings import Findings
    from inference.lesion_review import Decision
    from viewer.session import ReadingSession

__all__ = ["ReviewKeeper", "keepers"]

_ELSEWHERE: Final = (
    "Lesions of this series have been decided on in another window, too; its decisions are shown "
    "here as well."
)


class ReviewKeeper(QObject):
    """Writes decisions after every change, and brings them back with their findings.

    Parameters
    ----------
    session
        Its review is kept; it is told in a sentence when that fails.
    folder
        Where; the user's data folder by default.
    """

    def __init__(
        self, session: ReadingSession, folder: Path | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._folder = folder if folder is not None else review_store.default_folder()
        self._kept: dict[int, Decision] = {}
        self._bases: dict[tuple[str, str], dict[int, Decision]] = {}
        session.findings_changed.connect(self._bring_back)
        session.review.changed.connect(self._keep)

    def _bring_back(self) -> None:
        session = self._session
        findings, volume = session.findings, session.volume
        if findings is None or volume is None or not findings.segments:
            return
        if not session.review.knows(findings):
            self._kept, note = review_store.load(findings, volume, self._folder)
            self._bases[_key(findings)] = dict(self._kept)
            session.review.restore(findings, self._kept)
            if note:
                session.post("warning", note)
        self._kept = dict(session.review.decisions)

    def _keep(self) -> None:
        session = self._session
        findings, volume = session.findings, session.volume
        now = dict(session.review.decisions)
        if findings is None or volume is None or now == self._kept:
            return
        if not session.review.knows(findings):
            return
        base = self._bases.get(_key(findings), {})
        self._kept = now
        try:
            kept, note = review_store.save(now, findings, volume, self._folder, base)
        except ExportRefusedError as error:
            session.post("error", str(error))
            return
        if note:
            session.post("warning", note)
        self._bases[_key(findings)] = kept
        if kept != {number: each for number, each in now.items() if not each.empty}:
            self._kept = kept
            session.review.restore(findings, kept)
            session.post("info", _ELSEWHERE)


def _key(findings: Findings) -> tuple[str, str]:
    return findings.series_uid, findings.created


def keepers(
    session: ReadingSession, measurements: Path | None, parent: QObject
) -> tuple[Keeper, ReviewKeeper]:
    """Keep what a reader makes of a session: measurements, and decisions beside their folder."""
    reviews = None if measurements is None else measurements.parent / "reviews"
    return Keeper(session, measurements, parent), ReviewKeeper(session, reviews, parent)
