"""Above findings of an earlier time: when they were made, and whether they still hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QVBoxLayout

from viewer.panels.labels import heading, muted, sentence
from viewer.theme import box, tell

if TYPE_CHECKING:
    from viewer.session import ReadingSession

__all__ = ["add_kept"]


def add_kept(rows: QVBoxLayout, session: ReadingSession) -> None:
    """Say when findings were made; of stale ones loudly, since a new analysis may differ.

    Nothing is added for those of this sitting.
    """
    kept = session.kept
    if kept is None:
        return
    said = kept.sentence(dated=not session.manner.names_hidden)
    if not kept.stale:
        line = muted(f"Kept from an earlier analysis. {said}")
        line.setObjectName("kept-findings")
        rows.addWidget(line)
        return
    frame = QFrame()
    frame.setObjectName("stale-findings")
    box(frame, "warning")
    lines = QVBoxLayout(frame)
    lines.setContentsMargins(10, 8, 8, 8)
    lines.setSpacing(4)
    title = heading("Not current")
    tell(title, "warning")
    lines.addWidget(title)
    press = session.manner.press("analyse", "Analyse")
    lines.addWidget(sentence(f"{said.rstrip('.')}; {press} to analyse again."))
    rows.addWidget(frame)
