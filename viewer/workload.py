"""What the window is doing: begun and cancelled for what is chosen, and what its end would lose."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from viewer import closing
from viewer.analysis import name_of
from viewer.asking_kind import KindAsker

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from viewer.analysis import Analyst
    from viewer.browser import StudyTree
    from viewer.context_menus import ContextMenus
    from viewer.keeping import FindingsKeeper
    from viewer.measuring.keeper import Keeper
    from viewer.menus import ActionSet
    from viewer.opening import Opener
    from viewer.session import ReadingSession
    from viewer.status import StatusBar
    from viewer.worker import Worker

__all__ = ["Workload"]


class Workload:
    """The analyses and the other work of a window.

    Parameters
    ----------
    session
        Says what is open.
    analyst, workers
        Who works; the worker of the analyses is called ``"analysis"``.
    tree
        Says which series are chosen.
    opener
        Takes a picture for what the reader says it is.
    findings, measurements
        What may not have been kept.
    """

    def __init__(
        self,
        session: ReadingSession,
        analyst: Analyst,
        workers: Mapping[str, Worker],
        tree: StudyTree,
        opener: Opener,
        findings: FindingsKeeper,
        *measurements: Keeper,
    ) -> None:
        self._session = session
        self._analyst = analyst
        self._workers = workers
        self._tree = tree
        self._findings = findings
        self._measurements = measurements
        self.kind_asker = KindAsker(session, workers["analysis"], opener.read_as, analyst.start)
        """Asks what a picture is before it is analysed."""
        self._may_close = False

    def connect(self, actions: ActionSet, status: StatusBar, menus: ContextMenus) -> None:
        """Let commands, status bar and menus at the pointer follow the work, and ask for it."""
        self._tree.choice_changed.connect(actions.refresh)
        self._session.states.changed.connect(actions.refresh)
        self._analyst.queue.ended.connect(lambda *_: status.show_activity())
        self._findings.failed.connect(partial(self._session.post, "error"))
        self._findings.told.connect(partial(self._session.post, "warning"))
        status.say_also(self.words)
        menus.analyse_asked.connect(lambda study, each: self._analyst.analyse([(study, each)]))
        menus.cancel_asked.connect(lambda each: self._analyst.cancel({each.uid}))

    @property
    def busy(self) -> bool:
        """A worker is doing something that the reader waits for."""
        return any(worker.busy for worker in self._workers.values())

    def several_chosen(self) -> bool:
        """Several series are chosen in the study list."""
        return len(self._tree.chosen) > 1

    def has_queue(self) -> bool:
        """An analysis is at work or waits."""
        return bool(self._analyst.queue.active)

    def analyse(self) -> None:
        """Analyse the open series, or those chosen where they are several."""
        if self.several_chosen():
            self._analyst.analyse(self._tree.chosen)
        else:
            self.kind_asker.start()

    def cancel(self) -> None:
        """Cancel what is being done; of several analyses one, or those chosen in the list."""
        for name, worker in self._workers.items():
            if name != "analysis":
                worker.cancel()
        chosen = {series.uid for _, series in self._tree.chosen}
        self._analyst.cancel(chosen if len(chosen) > 1 else ())

    def words(self) -> str:
        """Say, behind the stage of an analysis, of which series it is, and how many wait."""
        queue = self._analyst.queue
        words = []
        if queue.running is not None and queue.running.series is not self._session.series:
            words.append(name_of(queue.running.series))
        if queue.waiting:
            words.append(f"{len(queue.waiting)} waiting")
        return "".join(f"  ·  {word}" for word in words)

    def may_close(self, window: QWidget) -> bool:
        """Say whether the window may close; the reader is asked where something would be lost."""
        said = closing.unfinished(
            analyses=len(self._analyst.queue.active),
            exporting=self._workers["export"].busy,
            findings=self._findings.unsaved,
            measurements=any(keeper.lost for keeper in self._measurements),
        )
        # A window that has been closed is closed again at the program's end.
        self._may_close = self._may_close or not said or closing.ask_to_close(window, said)
        return self._may_close
