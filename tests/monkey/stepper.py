"""Uses the window step by step, from inside its own event loop.

A round of steps opens a study, looks around, asks for an analysis, goes on while it runs, waits for
its end, and looks at the result. What a step does is drawn from the seed and its own number alone;
what it meets depends on how fast the machine is.

A step that opens a dialog does not return before the dialog is closed: the steps after it run
inside of it, in the dialog's own event loop.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, TextIO

import shiboken6
from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QDrag
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QTabBar, QWidget

from tests.gui.handling import drop
from tests.monkey.asked import FORBIDDEN, answer_file, answer_menu, answer_modal, in_front
from tests.monkey.hand import Hand, pick, words_of
from tests.monkey.watch import Growth, Trouble, Watch
from viewer.session import AnalysisState
from viewer.window import MainWindow

__all__ = ["Plan", "Stepper"]

ROUND: Final = 160
"""Steps of a round."""
_ANALYSE: Final = 30
_AWAIT: Final = 55
"""Steps of a round at which an analysis begins, and at which its end is awaited."""

_PATIENCE_SECONDS: Final = 180.0
"""Nothing is awaited for longer; a machine may be slow, and the next steps find it at work."""
_LINGER_SECONDS: Final = 60.0
"""For so long the program may go on when its window is closed."""
_DRAG_SECONDS: Final = 1.0
_ANSWERS: Final = 6
"""A dialog or a menu is left after so many steps in it."""
_LONGEST_PAUSE_MS: Final = 60
_AGAIN_MS: Final = 5
_MOST_WINDOWS: Final = 3

_KEYS: Final = (
    *(Qt.Key(number) for number in range(Qt.Key.Key_0.value, Qt.Key.Key_9.value + 1)),
    *(Qt.Key(number) for number in range(Qt.Key.Key_A.value, Qt.Key.Key_Z.value + 1)),
    *(Qt.Key(number) for number in range(Qt.Key.Key_F1.value, Qt.Key.Key_F12.value + 1)),
    *2 * (
        Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home,
        Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Space, Qt.Key.Key_Tab,
        Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Delete, Qt.Key.Key_Backspace,
        Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight,
        Qt.Key.Key_Comma, Qt.Key.Key_Period, Qt.Key.Key_Question,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What one process is to do.

    Parameters
    ----------
    name
        Seed, kind of study and scale; all that is done is drawn from it.
    files
        Studies to open, one a round.
    others
        What else may be opened, good or bad.
    exports
        Where exports go.
    seconds
        For how long, without what is waited for; the round is not ended.
    steps
        At most so many.
    hang
        Seconds for which the window may be held up.
    """

    name: str
    files: tuple[Path, ...]
    others: tuple[Path, ...]
    exports: Path
    seconds: float
    steps: int
    hang: float


class Stepper(QObject):
    """Steps through a plan, and closes the window at its end.

    Parameters
    ----------
    plan
        What to do.
    log
        Gets one line a step, before it is done.
    end
        Called with the trouble, when there is any.
    """

    def __init__(self, plan: Plan, log: TextIO, end: Callable[[Trouble], None]) -> None:
        super().__init__()
        self._plan = plan
        self._log = log
        self._end = end
        self._watch = Watch(plan.hang)
        self._growth = Growth()
        self._until = time.monotonic() + plan.seconds
        self._number = 0
        self._inside: list[QWidget | None] = []
        """What stood before the window when each of the steps at work began."""
        self._begun = 0.0
        self._answers = 0
        self._asked: QWidget | None = None
        self._awaited: Callable[[], bool] | None = None
        self._patience = 0.0
        self._commands: list[str] = []
        self._closing = False
        self._gone_since: float | None = None
        self._window: MainWindow | None = None
        QTimer.singleShot(0, self._step)

    # -- stepping ----------------------------------------------------------------------------

    @property
    def closing(self) -> bool:
        """The plan has been gone through, and the window was told to close."""
        return self._closing

    def last_trouble(self) -> Trouble | None:
        """Return what happened while the window closed, or None."""
        trouble = self._watch.trouble()
        # Its threads are waited for when the window is off the screen.
        return None if trouble is not None and trouble.kind == "hang" else trouble

    @property
    def window(self) -> MainWindow:
        """The window, once it is there."""
        assert self._window is not None
        return self._window

    def _step(self) -> None:
        """Do one step when it can be done now, and come back."""
        if self._inside and not self._is_new_in_front():
            # Events are handled in the middle of a step: wait for its end.
            self._hurry()
            QTimer.singleShot(_AGAIN_MS, self._step)
            return
        if self._closing and not self.window.isVisible():
            self._linger()
            return
        self._tell(self._watch.trouble())
        if self._window is None:
            shown = (w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
            self._window = next((w for w in shown if w.isVisible()), None)
            if self._window is not None:
                self._window.installEventFilter(self)
            QTimer.singleShot(_AGAIN_MS, self._step)
            return
        if self._is_waiting():
            QTimer.singleShot(_AGAIN_MS, self._step)
            return
        self._number += 1
        random = Random(f"{self._plan.name}/{self._number}")  # noqa: S311
        QTimer.singleShot(random.randrange(_LONGEST_PAUSE_MS), self._step)
        self._inside.append(in_front())
        self._begun = time.monotonic()
        try:
            self._do(Hand(random))
        finally:
            self._inside.pop()
            self._begun = time.monotonic()

    def _hurry(self) -> None:
        """End what keeps a step from its end, though nothing stands before the window."""
        seconds = time.monotonic() - self._begun
        if seconds > _LINGER_SECONDS:
            self._tell(Trouble("hang", f"a step took more than {_LINGER_SECONDS:.0f} s"))
        elif seconds > _DRAG_SECONDS:
            # Text that is dragged out of a label waits for a mouse that moves.
            QDrag.cancel()

    def _linger(self) -> None:
        """The program is to end by itself now."""
        self._tell(self.last_trouble())
        if self._gone_since is None:
            self._gone_since = time.monotonic()
            self._say("the window is closed")
        elif time.monotonic() - self._gone_since > _LINGER_SECONDS:
            self._tell(Trouble("end", "the window is closed, and the program goes on"))
        QTimer.singleShot(_AGAIN_MS, self._step)

    def _is_new_in_front(self) -> bool:
        front = in_front()
        return front is not None and all(front is not each for each in self._inside)

    def _is_waiting(self) -> bool:
        if self._awaited is None or in_front() is not None:
            return False
        now = time.monotonic()
        if self._awaited() or now > self._patience:
            self._awaited = None
            # What was waited for is no work of the hand.
            self._until += now - (self._patience - _PATIENCE_SECONDS)
            return False
        return True

    def _await(self, holds: Callable[[], bool]) -> None:
        self._awaited, self._patience = holds, time.monotonic() + _PATIENCE_SECONDS

    def _tell(self, trouble: Trouble | None) -> None:
        if trouble is not None:
            self._end(trouble)

    def _say(self, done: str) -> None:
        self._log.write(f"{self._number:5} {time.strftime('%H:%M:%S')}   {done}\n")
        self._log.flush()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the window open until the plan has been gone through."""
        if event.type() == QEvent.Type.Close and watched is self._window and not self._closing:
            event.ignore()
            return True
        return False

    # -- one step ----------------------------------------------------------------------------

    def _do(self, hand: Hand) -> None:
        front = in_front()
        if front is not None:
            self._answer(hand, front)
            return
        self._asked, self._answers = None, 0
        if self._closing:
            self.window.close()
            return
        if time.monotonic() > self._until or self._number >= self._plan.steps:
            self._say(f"close the window; {self._growth}")
            self._closing = True
            # Half of the time while something is at work.
            if hand.random.random() < 0.5:
                self.window.actions_["analyse"].trigger()
            self.window.actions_["quit"].trigger()
            return
        place = self._number % ROUND
        if place == 1:
            self._begin_round(hand)
        elif place == _ANALYSE:
            self._analyse(hand)
        elif place == _AWAIT:
            if self.window.session.findings is None:
                # Cancelled meanwhile, or not begun, since the study was still being read.
                self._analyse(hand)
            self._say("wait for the analysis")
            self._await(lambda: self.window.session.analysis is not AnalysisState.RUNNING)
        elif place == ROUND - 1:
            self._say("wait for what is at work")
            self._await(lambda: not self.window.busy)
        else:
            self._use(hand)

    def _answer(self, hand: Hand, front: QWidget) -> None:
        if front is not self._asked:
            self._asked, self._answers = front, 0
        self._answers += 1
        leave = self._answers > hand.random.randrange(1, _ANSWERS)
        self._say(f"in front: {words_of(front)}{' to be left' if leave else ''}")
        if isinstance(front, QFileDialog):
            files = (*self._plan.files, *self._plan.others)
            said = answer_file(hand, front, self._plan.exports, files, self._number)
        elif QApplication.activePopupWidget() is front:
            said = answer_menu(hand, front, leave)
        else:
            said = answer_modal(hand, front, leave)
        self._say(f"  {said}")

    def _begin_round(self, hand: Hand) -> None:
        if self._number > 1:
            self._tell(self._growth.look())
            self._say(f"round ended: {self._growth}")
            sys.stdout.flush()
        window, files = self.window, self._plan.files
        path = files[self._number // ROUND % len(files)]
        self._say(f"open {path.name}")
        if hand.random.random() < 0.5:
            drop(window, path)
        else:
            window.opener.open_paths([path])
        session = window.session
        if hand.random.random() < 0.7:
            self._await(lambda: session.volume is not None and not session.reading.active)

    def _analyse(self, hand: Hand) -> None:
        actions = self.window.actions_
        kind = hand.random.choice(("read-as-ct", "read-as-xray"))
        if actions[kind].isEnabled():
            self._say(kind)
            actions[kind].trigger()
        self._say("analyse")
        actions["analyse"].trigger()

    def _use(self, hand: Hand) -> None:
        """Do something with the window, or with another one that is open."""
        window = self.window
        tops = [w for w in QApplication.topLevelWidgets() if w.isVisible() and _can_be_used(w)]
        others = [w for w in tops if w is not window]
        chance = hand.random.random()
        if others and (chance < 0.05 or len(others) > _MOST_WINDOWS):
            top = pick(others, hand.random.random())
            self._say(f"close {words_of(top)} {top.windowTitle()!r}")
            top.close()
            return
        in_other = bool(others) and chance < 0.35
        top = pick(others, hand.random.random()) if in_other else window
        if QApplication.activeWindow() is None:
            window.activateWindow()
        parts = () if in_other else (window.panes, window.panes, window.panes, window.strip)
        acts: Sequence[tuple[int, Callable[[], str]]] = (
            (16, lambda: hand.move(top, parts)),
            (16, lambda: hand.click(top, parts)),
            (14, lambda: hand.drag(top, parts)),
            (10, lambda: hand.wheel(top, parts)),
            (12, lambda: hand.key(top, _KEYS)),
            (16, lambda: self._command(hand)),
            (4, lambda: self._in_palette(hand)),
            (4, lambda: self._tab(hand, top)),
            (3, lambda: self._choice(hand, top)),
            (3, lambda: self._menu(hand)),
            (1, lambda: self._resize(hand)),
            (1, lambda: self._open_other(hand)),
        )
        (act,) = hand.random.choices(
            [act for _, act in acts], weights=[weight for weight, _ in acts]
        )
        self._say(f"in {words_of(top)}:")
        said = act()
        self._say(f"  {said}")

    def _next_command(self, hand: Hand) -> str:
        """Go through all commands, each time in another order."""
        if not self._commands:
            declared = [c.id for c in self.window.actions_.commands if c.id not in FORBIDDEN]
            hand.random.shuffle(declared)
            self._commands = declared
        return self._commands.pop()

    def _command(self, hand: Hand) -> str:
        # What cannot be done now stays for later: half of all needs findings.
        for _ in range(4):
            name = self._next_command(hand)
            action = self.window.actions_[name]
            if action.isEnabled():
                self._say(f"  command {name}")
                action.trigger()
                return f"did {name}"
        return "no command can be done"

    def _in_palette(self, hand: Hand) -> str:
        palette = self.window.habits.palette
        assert palette is not None
        if not palette.isVisible():
            self.window.actions_["palette"].trigger()
        name = self._next_command(hand)
        text = next(c.text for c in self.window.actions_.commands if c.id == name)
        hand.type(self.window, text.rstrip("…")[: hand.random.randrange(2, 30)])
        for _ in range(hand.random.randrange(3)):
            hand.press(self.window, hand.random.choice((Qt.Key.Key_Down, Qt.Key.Key_Up)))
        item = palette.list.currentItem()
        if item is None or str(item.data(Qt.ItemDataRole.UserRole)) in FORBIDDEN:
            hand.press(self.window, Qt.Key.Key_Escape)
            return f"palette: nothing for {text!r}"
        chosen = item.text()
        self._say(f"  palette: {chosen!r}")
        hand.press(self.window, Qt.Key.Key_Return)
        return f"palette: did {chosen!r}"

    def _tab(self, hand: Hand, top: QWidget) -> str:
        bars = [bar for bar in top.findChildren(QTabBar) if bar.isVisible() and bar.count()]
        if not bars:
            return "no tab"
        bar = pick(bars, hand.random.random())
        index = hand.random.randrange(bar.count())
        hand.press_at(bar, bar.tabRect(index).center())
        return f"tab {bar.tabText(index)!r}"

    def _choice(self, hand: Hand, top: QWidget) -> str:
        boxes = [b for b in top.findChildren(QComboBox) if b.isVisible() and b.isEnabled()]
        if not boxes:
            return "nothing to choose from"
        box = pick(boxes, hand.random.random())
        hand.press_at(box)
        return f"open {words_of(box)}"

    def _menu(self, hand: Hand) -> str:
        bar = self.window.menuBar()
        action = pick(bar.actions(), hand.random.random())
        hand.press_at(bar, bar.actionGeometry(action).center())
        return f"menu {action.text()!r}"

    def _resize(self, hand: Hand) -> str:
        room = self.window.screen().availableSize()
        least = self.window.minimumSizeHint()
        size = QSize(
            round(least.width() + hand.random.random() * max(0, room.width() - least.width())),
            round(least.height() + hand.random.random() * max(0, room.height() - least.height())),
        )
        self.window.resize(size)
        return f"resize to {size.width()} × {size.height()}"

    def _open_other(self, hand: Hand) -> str:
        path = pick((*self._plan.others, *self._plan.files), hand.random.random())
        drop(self.window, path)
        return f"drop {path.name}"


def _can_be_used(top: QWidget) -> bool:
    kind = top.windowType()
    return (
        shiboken6.isValid(top)
        and kind not in {Qt.WindowType.ToolTip, Qt.WindowType.SplashScreen, Qt.WindowType.Popup}
        and top.windowHandle() is not None
    )
