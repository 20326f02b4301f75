"""A series on the screen while it is being read: what has come is shown, what has not is black."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from inference.errors import BadInputError
from inference.studies.model import SliceSource, Study, Unit, Volume, Window
from viewer import reading as reading_module
from viewer.opening import Opener
from viewer.reading import STILL_READING, Arrivals, Reading, SliceState, same_slice
from viewer.session import AnalysisState, ReadingSession
from viewer.window import MainWindow
from viewer.worker import Worker

ONE, TWO = Path("/data/one"), Path("/data/two")
MIDDLE = 6


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show even what is read in no time."""
    monkeypatch.setattr(reading_module, "_PATIENCE_SECONDS", 0.0)


@pytest.fixture
def shelf(
    fake_reader: Any, make_study: Callable[..., Study], make_volume: Callable[..., Volume]
) -> Any:
    """Put a study with two series and another study on the shelf; the middle slice is told."""
    sources = tuple(SliceSource(Path(f"{i}.dcm")) for i in range(12))
    fake_reader.shelf = {
        ONE: (make_study("1.2.3", "1.2.4"),),
        TWO: (make_study("1.9.1", uid="1.9"),),
    }
    fake_reader.volumes = {
        uid: make_volume(uid, slices=sources, problems=()) for uid in ("1.2.3", "1.2.4", "1.9.1")
    }
    fake_reader.told = [(MIDDLE, True)]
    return fake_reader


@pytest.fixture
def opener(session: ReadingSession, shelf: Any) -> Iterator[Opener]:
    """Give an opener that reads from the test's shelf."""
    worker = Worker("opening")
    yield Opener(session, worker, lambda: shelf)
    shelf.go.set()
    worker.close()


@pytest.fixture
def reading(
    window: MainWindow, shelf: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> MainWindow:
    """Give the real window with a CT of which the middle slice has been read."""
    monkeypatch.setattr(window.opener, "_reader", lambda: shelf)
    shelf.go.clear()
    window.opener.open_paths([ONE])
    qtbot.waitUntil(lambda: window.session.volume is not None)
    return window


def grey_at_middle(window: MainWindow) -> int:
    """Grey just beside the middle of the view, where no text stands."""
    picture = window.picture()
    return int(picture.pixelColor(picture.width() // 2, picture.height() // 3).value())


def leave_out(volume: Volume, *indices: int) -> Volume:
    """Return the volume without some slices, as a reader gives it at the end."""
    kept = [i for i in range(volume.shape[0]) if i not in indices]
    return replace(volume, array=volume.array[kept], slices=tuple(volume.slices[i] for i in kept))


class TestReading:
    """What has arrived, without a window."""

    def test_slices_count_as_read_when_the_window_has_fetched_them(self, qtbot: Any) -> None:
        shown: list[Volume] = []
        arrivals, reading = Arrivals(shown.append), Reading()
        assert reading.state(3) is SliceState.READ
        reading.begin(arrivals, 5)
        arrivals.watch.arrived(2, True)
        arrivals.watch.arrived(4, False)
        assert reading.state(2) is SliceState.WAITING
        with qtbot.waitSignal(reading.changed):
            pass
        states = [reading.state(i) for i in range(5)]
        assert states == [SliceState.WAITING] * 2 + [
            SliceState.READ, SliceState.WAITING, SliceState.BROKEN,
        ]  # fmt: skip
        reading.end()

    def test_many_slices_are_one_signal(self, qtbot: Any) -> None:
        arrivals, reading = Arrivals(lambda _: None), Reading()
        reading.begin(arrivals, 1000)
        told: list[bool] = []
        reading.changed.connect(lambda: told.append(True))
        for i in range(1000):
            arrivals.watch.arrived(i, True)
        qtbot.waitUntil(lambda: bool(told))
        assert len(told) == 1
        assert reading.read.all()
        reading.end()

    def test_a_series_that_is_read_in_no_time_comes_whole(
        self, monkeypatch: pytest.MonkeyPatch, make_volume: Callable[..., Volume]
    ) -> None:
        shown: list[Volume] = []
        monkeypatch.setattr(reading_module, "_PATIENCE_SECONDS", 3600.0)
        arrivals = Arrivals(shown.append)
        arrivals.watch.begun(make_volume())
        arrivals.watch.arrived(0, True)
        assert shown == []
        monkeypatch.setattr(reading_module, "_PATIENCE_SECONDS", 0.0)
        arrivals.watch.arrived(1, False)
        assert shown == []
        arrivals.watch.arrived(2, True)
        arrivals.watch.arrived(3, True)
        assert len(shown) == 1

    @pytest.mark.parametrize(
        ("gone", "index", "expected"),
        [((), 3, 3), ((1,), 3, 2), ((3,), 3, 3), ((3, 4), 4, 3), ((11,), 11, 10), ((0,), 0, 0)],
    )
    def test_a_slice_is_found_again_when_others_are_left_out(
        self, gone: tuple[int, ...], index: int, expected: int
    ) -> None:
        before = tuple(SliceSource(Path(f"{i}.dcm")) for i in range(12))
        after = tuple(source for i, source in enumerate(before) if i not in gone)
        assert same_slice(before, after, index) == expected


class TestSession:
    """From the first slice to the last."""

    def test_the_volume_is_there_with_its_first_slice(
        self, qtbot: Any, session: ReadingSession, opener: Opener, shelf: Any
    ) -> None:
        shelf.go.clear()
        opener.open_paths([ONE])
        qtbot.waitUntil(lambda: session.volume is not None)
        assert session.reading.active
        assert session.series is session.studies[0].series[0]
        assert session.reading.state(MIDDLE) is SliceState.READ
        assert session.reading.state(0) is SliceState.WAITING
        shelf.watch.arrived(0, True)
        qtbot.waitUntil(lambda: session.reading.state(0) is SliceState.READ)
        shelf.go.set()
        qtbot.waitUntil(lambda: not session.reading.active)
        assert session.volume is shelf.volumes["1.2.3"]
        assert session.read_seconds > 0

    def test_reading_follows_the_slice_on_the_screen(
        self, qtbot: Any, session: ReadingSession, opener: Opener, shelf: Any
    ) -> None:
        shelf.go.clear()
        opener.open_paths([ONE])
        qtbot.waitUntil(lambda: session.volume is not None)
        session.step(3)
        assert shelf.watch.focus == MIDDLE + 3

    def test_what_the_reader_chose_while_reading_stays(
        self, qtbot: Any, session: ReadingSession, opener: Opener, shelf: Any
    ) -> None:
        shelf.whole["1.2.3"] = leave_out(shelf.volumes["1.2.3"], 1, 8)
        shelf.go.clear()
        opener.open_paths([ONE])
        qtbot.waitUntil(lambda: session.volume is not None)
        chosen = Window(40.0, 400.0, "Mediastinum")
        session.set_position(10)
        session.set_window(chosen)
        session.toggle_invert()
        shelf.go.set()
        qtbot.waitUntil(lambda: not session.reading.active)
        assert session.volume is shelf.whole["1.2.3"]
        assert session.volume.slices[session.position] == SliceSource(Path("10.dcm"))
        assert (session.window, session.inverted) == (chosen, True)

    def test_a_window_that_nobody_chose_is_that_of_the_whole_volume(
        self, qtbot: Any, session: ReadingSession, opener: Opener, shelf: Any
    ) -> None:
        hu = shelf.volumes["1.2.3"]
        array = np.zeros(hu.shape, np.int16)
        array[MIDDLE] = 100
        early = replace(hu, array=array, unit=Unit.GREY, windows=())
        shelf.volumes["1.2.3"], shelf.whole["1.2.3"] = early, hu
        shelf.go.clear()
        opener.open_paths([ONE])
        qtbot.waitUntil(lambda: session.volume is not None)
        # Of the slices that have been read: the others hold no values yet.
        assert session.window.centre == 100.0
        shelf.go.set()
        qtbot.waitUntil(lambda: not session.reading.active)
        assert session.window.name == "Lung"

    def test_an_error_at_the_end_goes_back_to_nothing(
        self, qtbot: Any, session: ReadingSession, opener: Opener, shelf: Any
    ) -> None:
        said: list[tuple[str, str]] = []
        session.message_posted.connect(lambda *message: said.append(message))
        shelf.go.clear()
        opener.open_paths([ONE])
        qtbot.waitUntil(lambda: session.volume is not None)
        shelf.load_error = BadInputError("“3.dcm” has changed; open it again.")
        shelf.go.set()
        qtbot.waitUntil(lambda: session.volume is None)
        assert said == [("error", "“3.dcm” has changed; open it again.")]
        assert (session.series, session.study, session.reading.active) == (None, None, False)

    @pytest.mark.parametrize("how", ["error", "cancel"])
    def test_what_was_open_comes_back(
        self, qtbot: Any, session: ReadingSession, opener: Opener, shelf: Any, how: str
    ) -> None:
        opener.open_paths([ONE])
        qtbot.waitUntil(lambda: session.volume is not None and not session.reading.active)
        before = session.volume
        shelf.go.clear()
        opener.show_series(session.studies[0], session.studies[0].series[1])
        qtbot.waitUntil(lambda: session.volume is not before)
        if how == "error":
            shelf.load_error = BadInputError("“3.dcm” has changed; open it again.")
            shelf.go.set()
        else:
            opener._worker.cancel()
        qtbot.waitUntil(lambda: session.volume is before)
        assert session.series is session.studies[0].series[0]
        assert not session.reading.active
        assert session.read_seconds > 0

    def test_opening_something_else_cancels_and_never_flashes_back(
        self, qtbot: Any, session: ReadingSession, opener: Opener, shelf: Any
    ) -> None:
        opener.open_paths([ONE])
        qtbot.waitUntil(lambda: session.volume is not None and not session.reading.active)
        shelf.go.clear()
        opener.show_series(session.studies[0], session.studies[0].series[1])
        qtbot.waitUntil(lambda: session.reading.active)
        seen: list[str] = []
        session.volume_changed.connect(
            lambda: seen.append(session.volume.series_uid if session.volume else "")
        )
        opener.open_paths([TWO])
        qtbot.waitUntil(lambda: "1.9.1" in seen)
        shelf.go.set()
        qtbot.waitUntil(lambda: not session.reading.active)
        assert set(seen) == {"1.9.1"}


class TestWindow:
    """What the reader sees meanwhile."""

    def test_a_slice_that_has_not_been_read_is_black_and_says_so(
        self, qtbot: Any, reading: MainWindow, shelf: Any
    ) -> None:
        view, session = reading.view, reading.session
        shelf.volumes["1.2.3"].array[:] = 200
        session.window_changed.emit()
        assert view.annotations().instead == ""
        assert grey_at_middle(reading) > 100
        qtbot.keyClick(view, Qt.Key.Key_Up)
        assert session.position == MIDDLE + 1
        assert view.annotations().instead == "reading…"
        assert "reading…" in view.accessibleDescription()
        assert grey_at_middle(reading) == 0
        session.toggle_invert()
        assert grey_at_middle(reading) == 0
        session.toggle_invert()
        qtbot.mouseMove(view, view.rect().center())
        assert not [line for line in view.annotations().bottom_right if "HU" in line.text]
        shelf.watch.arrived(MIDDLE + 1, True)
        qtbot.waitUntil(lambda: view.annotations().instead == "")
        assert grey_at_middle(reading) > 100

    def test_a_slice_that_cannot_be_decoded_says_so(
        self, qtbot: Any, reading: MainWindow, shelf: Any
    ) -> None:
        shelf.watch.arrived(3, False)
        reading.session.set_position(3)
        qtbot.waitUntil(lambda: reading.view.annotations().instead == "cannot be decoded")
        assert reading.strip.describe(3).endswith("cannot be decoded")
        assert reading.strip.describe(4).endswith("reading…")
        assert reading.strip.describe(MIDDLE) == "Slice 7 of 12"

    def test_the_strip_tells_read_from_unread(
        self, qtbot: Any, reading: MainWindow, shelf: Any
    ) -> None:
        def inside(index: int) -> str:
            strip = reading.strip
            x = round(strip._groove().left() + (index + 0.5) * strip._groove().width() / 12) + 6
            image = strip.grab().toImage()
            return str(image.pixelColor(x, image.height() // 2).name())

        assert inside(MIDDLE) != inside(2)
        shelf.watch.arrived(2, True)
        qtbot.waitUntil(lambda: inside(MIDDLE) == inside(2))

    def test_what_needs_all_slices_waits_and_says_why(
        self, qtbot: Any, reading: MainWindow, shelf: Any
    ) -> None:
        for name in ("analyse", "export-png", "export-seg", "export-nifti", "export-json"):
            action = reading.actions_[name]
            assert not action.isEnabled(), name
            assert action.toolTip().endswith(STILL_READING), name
        reading.analyst.start()
        assert reading.session.analysis is AnalysisState.NONE
        assert STILL_READING in reading.findings_panel._state.text()
        shelf.go.set()
        qtbot.waitUntil(lambda: not reading.session.reading.active)
        assert reading.actions_["analyse"].isEnabled()
        assert reading.actions_["analyse"].toolTip() == (
            "Analyse (F5)\nAnalyse the open series, or those chosen in the study list, with the "
            "machine"
        )
        assert reading.actions_["export-png"].isEnabled()
        assert "Press F5" in reading.findings_panel._state.text()

    def test_zoom_and_place_stay_when_the_last_slice_has_come(
        self, qtbot: Any, reading: MainWindow, shelf: Any
    ) -> None:
        reading.view.zoom_by(2.0)
        framing = reading.view._framing
        assert framing is not None
        reading.session.set_position(2)
        shelf.go.set()
        qtbot.waitUntil(lambda: not reading.session.reading.active)
        # The window may still be finding its size.
        assert reading.view._framing == framing.resized(reading.view.width(), reading.view.height())
        assert reading.session.position == 2
        assert reading.view.annotations().instead == ""


def test_what_is_over_does_not_wait_for_the_collector(
    qtbot: Any, shelf: Any, qapp: QApplication
) -> None:
    """The collector may run on any thread, and no QObject may end on another than its own."""

    def open_and_leave() -> list[weakref.ref[Any]]:
        session, worker = ReadingSession(), Worker("opening")
        opener = Opener(session, worker, lambda: shelf)
        opener.open_paths([ONE])
        qtbot.waitUntil(lambda: session.volume is not None and not session.reading.active)
        worker.close()
        return [weakref.ref(each) for each in (opener, worker, session, session.reading)]

    gc.collect()
    gc.disable()
    try:
        left = open_and_leave()
        shelf.watch = None
        # A thread may be on its way out, with what it was given in its hands.
        qtbot.waitUntil(lambda: [each() for each in left] == [None] * 4)
    finally:
        gc.enable()
