"""Opening: what is chosen reaches the session, and what cannot be opened becomes a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.errors import BadInputError
from inference.studies.model import Problem, SliceSource, SourceKind, Study, Unit, Volume
from viewer.opening import Opener
from viewer.session import ReadingSession
from viewer.worker import Worker


@pytest.fixture
def opener(session: ReadingSession, fake_reader: Any) -> Iterator[Opener]:
    """Give an opener that reads from the test's shelf."""
    worker, scanner = Worker("opening"), Worker("scanning")
    yield Opener(session, worker, lambda: fake_reader, scanner=scanner)
    fake_reader.go.set()
    scanner.close()
    worker.close()


@pytest.fixture
def shelf(
    fake_reader: Any, make_study: Callable[..., Study], make_volume: Callable[..., Volume]
) -> Any:
    """Put one study with two series on the shelf."""
    fake_reader.shelf[Path("/data/one")] = (make_study("1.2.3", "1.2.4"),)
    fake_reader.volumes = {uid: make_volume(uid) for uid in ("1.2.3", "1.2.4", "1.9.1")}
    return fake_reader


@pytest.fixture
def posted(session: ReadingSession) -> list[tuple[str, str]]:
    """Collect what is said to the reader."""
    said: list[tuple[str, str]] = []
    session.message_posted.connect(lambda *message: said.append(message))
    return said


def test_a_folder_opens_its_main_series(
    qtbot: Any, session: ReadingSession, opener: Opener, shelf: Any
) -> None:
    folders: list[Path] = []
    opener.folder_opened.connect(folders.append)
    ready: list[bool] = []
    opener.open_paths([Path("/data/one")], then=lambda: ready.append(session.volume is not None))
    qtbot.waitUntil(lambda: session.volume is not None)
    assert session.series is session.studies[0].series[0]
    assert session.read_seconds > 0
    assert ready == [True]
    assert folders == [Path("/data")]


def test_thumbnails_come_for_every_series(
    qtbot: Any, session: ReadingSession, opener: Opener, shelf: Any
) -> None:
    seen: dict[str, tuple[int, ...]] = {}
    opener.thumbnail_ready.connect(lambda uid, picture: seen.update({uid: picture.shape}))
    opener.open_paths([Path("/data/one")])
    qtbot.waitUntil(lambda: len(seen) == 2)
    assert seen == {"1.2.3": (96, 96), "1.2.4": (96, 96)}


def test_bad_input_is_a_sentence_and_what_was_open_stays(
    qtbot: Any,
    session: ReadingSession,
    opener: Opener,
    shelf: Any,
    posted: list[tuple[str, str]],
) -> None:
    opener.open_paths([Path("/data/one")])
    qtbot.waitUntil(lambda: session.volume is not None)
    before = session.volume
    shelf.error = BadInputError("The folder “two” is empty; choose another.")
    refused: list[str] = []
    opener.open_paths([Path("/data/two")], otherwise=refused.append)
    qtbot.waitUntil(lambda: bool(posted))
    assert posted == [("error", "The folder “two” is empty; choose another.")]
    assert refused == [posted[0][1]]
    assert session.volume is before
    shelf.error = None
    opener.show_series(session.studies[0], session.studies[0].series[1])
    qtbot.waitUntil(lambda: session.volume is not before)


def test_one_bad_path_among_good_ones_is_a_warning(
    qtbot: Any,
    session: ReadingSession,
    opener: Opener,
    shelf: Any,
    posted: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole_scan = shelf.scan

    def scan(path: Path, progress: Any = None, found: Any = None) -> tuple[Study, ...]:
        if path.name == "bad":
            raise BadInputError("“bad” holds no image; choose another.")
        return tuple(whole_scan(path, progress))

    monkeypatch.setattr(shelf, "scan", scan)
    opener.open_paths([Path("/data/bad"), Path("/data/one")])
    qtbot.waitUntil(lambda: session.volume is not None)
    assert posted == [("warning", "“bad” holds no image; choose another.")]


def test_what_a_folder_left_out_is_a_warning(
    qtbot: Any,
    session: ReadingSession,
    opener: Opener,
    shelf: Any,
    posted: list[tuple[str, str]],
) -> None:
    study = shelf.shelf[Path("/data/one")][0]
    problem = Problem("unreadable-files", "1 file was left out: “x.dcm” is cut off.")
    shelf.shelf[Path("/data/one")] = (replace(study, problems=(problem,)),)
    opener.open_paths([Path("/data/one")])
    qtbot.waitUntil(lambda: session.volume is not None)
    assert posted == [("warning", problem.sentence)]


def test_files_of_one_folder_open_the_series_that_they_belong_to(
    qtbot: Any,
    session: ReadingSession,
    opener: Opener,
    shelf: Any,
    make_study: Callable[..., Study],
    tmp_path: Path,
) -> None:
    study = make_study("1.2.3", "1.2.4")
    files = [tmp_path / f"{i}.dcm" for i in range(4)]
    for file in files:
        file.touch()
    first, second = study.series
    first = replace(first, slices=tuple(SliceSource(file) for file in files[:2]))
    second = replace(second, slices=tuple(SliceSource(file) for file in files[2:]))
    shelf.shelf[tmp_path] = (replace(study, series=(first, second)),)
    opener.open_paths(files[2:])
    qtbot.waitUntil(lambda: session.volume is not None)
    assert [series.uid for series in session.studies[0].series] == ["1.2.4"]


def test_opening_something_else_cancels_the_first(
    qtbot: Any,
    session: ReadingSession,
    opener: Opener,
    shelf: Any,
    make_study: Callable[..., Study],
) -> None:
    shelf.shelf[Path("/data/other")] = (make_study("1.9.1", uid="1.9"),)
    shelf.go.clear()
    opener.open_paths([Path("/data/one")])
    qtbot.wait(30)
    opener.open_paths([Path("/data/other")])
    shelf.go.set()
    qtbot.waitUntil(lambda: session.volume is not None)
    assert session.volume is not None
    assert session.volume.series_uid == "1.9.1"
    assert session.studies[-1].uid == "1.9"


def test_stepping_through_series_stops_at_the_ends(
    qtbot: Any, session: ReadingSession, opener: Opener, shelf: Any
) -> None:
    opener.open_paths([Path("/data/one")])
    qtbot.waitUntil(lambda: session.volume is not None)
    opener.step_series(-1)
    opener.step_series(1)
    qtbot.waitUntil(lambda: session.series is session.studies[0].series[1])
    opener.step_series(1)
    qtbot.wait(30)
    assert session.series is session.studies[0].series[1]


def test_a_picture_can_be_taken_for_a_ct_slice_or_an_xray(
    qtbot: Any,
    session: ReadingSession,
    opener: Opener,
    fake_reader: Any,
    make_study: Callable[..., Study],
    make_volume: Callable[..., Volume],
) -> None:
    path = Path("/data/picture.png")
    fake_reader.shelf[path] = (make_study("9", kind=SourceKind.PICTURE),)
    fake_reader.volumes["9"] = make_volume(
        "9",
        array=np.zeros((1, 40, 32), np.uint8),
        unit=Unit.GREY,
        modality="OT",
        has_geometry=False,
        has_orientation=False,
        windows=(),
    )
    opener.open_paths([path])
    qtbot.waitUntil(lambda: session.volume is not None)
    pixels = session.volume.array if session.volume else None
    for modality in ("CT", "DX"):
        opener.read_as(modality)
        assert session.volume is not None
        assert session.volume.modality == modality
        assert session.volume.array is pixels


def test_what_was_opened_is_known_as_private(
    qtbot: Any, session: ReadingSession, opener: Opener, shelf: Any
) -> None:
    opener.open_paths([Path("/data/one")])
    qtbot.waitUntil(lambda: session.volume is not None)
    assert {"/data/one", "one", "Doe^Jane", "ID-77"} <= opener.private_words


def test_cancelling_leaves_what_was_open_and_says_nothing(
    qtbot: Any,
    session: ReadingSession,
    opener: Opener,
    shelf: Any,
    posted: list[tuple[str, str]],
) -> None:
    opener.open_paths([Path("/data/one")])
    qtbot.waitUntil(lambda: session.volume is not None)
    before = session.volume
    shelf.go.clear()
    opener.show_series(session.studies[0], session.studies[0].series[1])
    qtbot.wait(30)
    opener._worker.cancel()
    qtbot.waitUntil(lambda: not opener._worker.busy)
    assert session.volume is before
    assert posted == []


def test_archives_of_one_folder_are_opened_each_and_pictures_together(
    qtbot: Any, session: ReadingSession, opener: Opener, shelf: Any,
    make_study: Callable[..., Study], tmp_path: Path,
) -> None:  # fmt: skip
    archives = [tmp_path / "a.zip", tmp_path / "b.zip"]
    for number, path in enumerate(archives):
        path.write_bytes(b"PK\x03\x04")
        shelf.shelf[path] = (make_study("1.2.3", uid=f"1.{number}"),)
    opener.open_paths(archives)
    qtbot.waitUntil(lambda: session.volume is not None)
    assert [study.uid for study in session.studies] == ["1.0", "1.1"]


def test_what_was_opened_is_told(
    qtbot: Any, session: ReadingSession, opener: Opener, shelf: Any
) -> None:
    told: list[tuple[Path, ...]] = []
    opener.paths_opened.connect(told.append)
    opener.open_paths([Path("/data/one")])
    qtbot.waitUntil(lambda: session.volume is not None)
    assert told == [(Path("/data/one"),)]
    shelf.error = BadInputError("No.")
    opener.open_paths([Path("/data/two")])
    qtbot.waitUntil(lambda: not opener._scanner.busy)
    assert len(told) == 1


def test_what_a_crash_left_unpacked_is_removed_at_the_start(
    qtbot: Any, opener: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    left = tmp_path / "secondread" / "unpacked" / "dead" / "study" / "a.dcm"
    left.parent.mkdir(parents=True)
    left.touch()
    opener.tidy()
    qtbot.waitUntil(lambda: not any((tmp_path / "secondread" / "unpacked").iterdir()))
