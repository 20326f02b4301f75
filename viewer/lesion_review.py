"""What the reader decides of lesions: part of the session, undoable."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from inference.lesion_review import Decision, Verdict

if TYPE_CHECKING:
    from inference.findings import Findings
    from inference.lesion_data import Lesion
    from inference.lesion_review import Decisions
    from viewer.session import ReadingSession

__all__ = ["LesionReview"]

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Decided:
    """A step: one lesion's decision instead of another."""

    put: Callable[[int, Decision], None]
    number: int
    before: Decision
    after: Decision

    def do(self) -> None:
        """Take the new one."""
        self.put(self.number, self.after)

    def undo(self) -> None:
        """Take the old one."""
        self.put(self.number, self.before)


class LesionReview(QObject):
    """Decisions on the lesions of the findings on the screen, and which lesion is chosen.

    They belong to one analysis; another one of the same series begins with none.
    """

    changed = Signal()
    """A decision changed, or other findings are shown."""
    chosen_changed = Signal()
    """Another lesion is chosen, or none."""

    def __init__(self, session: ReadingSession) -> None:
        super().__init__(session)
        # The session holds this; the other way round neither would go before the collector.
        self._holder = weakref.ref(session)
        self._known: dict[Key, dict[int, Decision]] = {}
        self._told: dict[int, Decision] = {}
        self._chosen = 0
        self.order: tuple[int, ...] = ()
        """Numbers of the lesions in the order in which they are listed on the screen."""
        session.findings_changed.connect(self._on_findings)
        session.lesions.changed.connect(self._on_findings)

    @property
    def _session(self) -> ReadingSession:
        session = self._holder()
        assert session is not None  # noqa: S101 - it owns this object
        return session

    def _on_findings(self) -> None:
        # Everything that shows lesions hears of other findings anyway: told is what is news.
        if self._chosen:
            self._chosen = 0
            self.chosen_changed.emit()
        if self.decisions != self._told:
            self._tell()

    def _tell(self) -> None:
        self._told = dict(self.decisions)
        self.changed.emit()

    # -- decisions -----------------------------------------------------------------------------

    @property
    def decisions(self) -> Decisions:
        """By number of the lesion, of the findings on the screen; empty without any."""
        findings = self._session.findings
        return {} if findings is None else self._known.get(_key(findings), {})

    def decision(self, number: int) -> Decision:
        """Of one lesion; one that says nothing where nothing was decided."""
        return self.decisions.get(number, Decision())

    def knows(self, findings: Findings) -> bool:
        """Whether decisions on these findings were made or brought back in this run."""
        return _key(findings) in self._known

    def restore(self, findings: Findings, decisions: Decisions) -> None:
        """Show what was kept from an earlier run; this is no step to undo."""
        self._known[_key(findings)] = dict(decisions)
        if self.decisions != self._told:
            self._tell()

    def decide(self, verdict: Verdict) -> None:
        """Accept or reject the chosen lesion; the same again takes it back."""
        if self._chosen:
            known = self.decision(self._chosen)
            new = None if known.verdict is verdict else verdict
            self._do(self._chosen, replace(known, verdict=new))

    def comment(self, number: int, text: str) -> None:
        """Write a comment on a lesion."""
        self._do(number, replace(self.decision(number), comment=text.strip()))

    def _do(self, number: int, after: Decision) -> None:
        findings, before = self._session.findings, self.decision(number)
        if findings is None or after == before:
            return
        key = _key(findings)

        def put(which: int, decision: Decision) -> None:
            self._known.setdefault(key, {})[which] = decision
            self._tell()

        self._session.measurements.do(_Decided(put, number, before, after))

    # -- which one -----------------------------------------------------------------------------

    @property
    def chosen(self) -> Lesion | None:
        """The lesion that keys work on, or None."""
        listed = self._session.lesions.listed
        return listed.lesions[self._chosen - 1] if listed and self._chosen else None

    def choose(self, number: int) -> None:
        """Choose a lesion by its number without going there; 0 for none."""
        if number != self._chosen:
            self._chosen = number
            self.chosen_changed.emit()

    def choose_at(self, voxel: tuple[int, int, int]) -> bool:
        """Choose the lesion that holds a voxel (column, row, slice); say whether there is one."""
        listed = self._session.lesions.listed
        found = listed.at(voxel) if listed is not None else None
        if found is not None:
            self.choose(found.number)
        return found is not None

    def step(self, by: int) -> None:
        """Go to the next (1) or previous (-1) lesion that is shown, round at the ends."""
        listed = self._session.lesions.listed
        if listed is None:
            return
        every = tuple(each.number for each in listed.lesions)
        numbers = tuple(n for n in self.order if n <= len(every)) or every
        if not numbers:
            return
        if self._chosen in numbers:
            number = numbers[(numbers.index(self._chosen) + by) % len(numbers)]
        else:
            number = numbers[0 if by > 0 else -1]
        self.choose(number)
        self._session.go_to_voxel(*listed.lesions[number - 1].voxel)


def _key(findings: Findings) -> Key:
    return findings.series_uid, findings.created
