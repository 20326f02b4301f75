"""What is written appears whole or not at all, for its owner, and what a kill left is swept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference import atomic, homes, leftovers, locks
from inference.cli import run

POSIX = pytest.mark.skipif(os.name == "nt", reason="modes are those of Unix")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the cache folder of the test, empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    atomic._HOME.end()
    yield tmp_path / "cache" / "secondread"
    atomic._HOME.end()
    homes.UNPACKED.end()


def killed(program: str, *arguments: object) -> None:
    """Run a program that says when it is in the midst of its work, and kill it there."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGKILL if os.name != "nt" else signal.SIGTERM)


WRITING = """
import sys, time
from pathlib import Path
from inference import atomic
with atomic.beside(Path(sys.argv[1]), suffix=".nii.gz") as part, \\
        atomic.part_folder(Path(sys.argv[1]).parent) as folder:
    part.write_bytes(b"half")
    (folder / "half.txt").write_text("half")
    print("here", flush=True)
    time.sleep(60)
"""
UNPACKING = """
import time
from inference.studies import unpacked
(unpacked.new_folder() / "slice.dcm").write_bytes(b"pixels")
print("here", flush=True)
time.sleep(60)
"""


def test_a_failure_in_any_place_leaves_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    atomic.replace_text(path, "first\r\n")
    for place in ("os.fsync", "pathlib.Path.replace", "pathlib.Path.chmod"):
        with monkeypatch.context() as patch:
            patch.setattr(place, lambda *_: (_ for _ in ()).throw(OSError(28, "No space")))
            with pytest.raises(OSError, match="No space"):
                atomic.replace_text(path, "second")
        assert path.read_bytes() == b"first\r\n"
        assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["a.txt"]


def test_what_does_not_read_back_is_not_taken(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    atomic.replace_bytes(path, b"first")

    def cut(self: Path, mode: str = "r", *_: object, **__: object) -> object:
        opened = io_open(self, mode)
        if "w" in mode:
            write = opened.write
            opened = Cut(opened, write)
        return opened

    class Cut:
        """A file on a disk that loses its last byte without saying so."""

        def __init__(self, file, write) -> None:
            self._file, self._write = file, write

        def write(self, data: bytes) -> int:
            self._write(data[:-1])
            return len(data)

        def __enter__(self) -> Cut:
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

    io_open = open
    monkeypatch.setattr(Path, "open", cut)
    with pytest.raises(OSError, match="does not read back"):
        atomic.replace_bytes(path, b"second")
    monkeypatch.undo()
    assert path.read_bytes() == b"first"


def test_a_link_is_followed_and_what_is_no_file_is_left_alone(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    atomic.replace_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(OSError, match="no plain file"):
        atomic.replace_text(tmp_path / "pipe.txt", "new")
    assert (tmp_path / "pipe.txt").is_fifo()


@POSIX
@pytest.mark.parametrize(
    ("wish", "mode"),
    [(None, 0o600), ("022", 0o644), ("027", 0o640), ("777", 0o600), ("all", 0o600), ("9", 0o600)],
)
def test_exports_are_for_their_owner_unless_he_says_otherwise(tmp_path, monkeypatch, wish, mode):
    if wish is not None:
        monkeypatch.setenv("SECONDREAD_UMASK", wish)
    atomic.replace_text(tmp_path / "a.csv", "1", mode=atomic.export_mode())
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == mode
    atomic.replace_text(tmp_path / "b.json", "1")
    assert (tmp_path / "b.json").stat().st_mode & 0o777 == 0o600, "what is kept is no export"


@pytest.mark.parametrize("command", [["index"], ["index", "--clear"], ["models", "list"]])
def test_a_command_sweeps_what_the_killed_left_and_nothing_of_the_living(cache, tmp_path, command):
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "a.nii.gz").write_bytes(b"earlier")
    killed(WRITING, exports / "a.nii.gz")
    killed(UNPACKING)
    assert len(list(exports.iterdir())) == 3
    assert list(cache.rglob("slice.dcm"))
    with atomic.beside(exports / "b.csv") as mine:
        assert run(command) == 0
        assert sorted(each.name for each in exports.iterdir()) == sorted((mine.name, "a.nii.gz"))
    assert not list(cache.rglob("slice.dcm"))
    assert (exports / "a.nii.gz").read_bytes() == b"earlier"
    assert (exports / "b.csv").read_bytes() == b""


def test_a_note_removes_nothing_but_unfinished_files(cache, tmp_path):
    """Whoever could write such a note could delete the file as well, but a damaged one must not."""
    (tmp_path / "precious.dcm").write_bytes(b"1")
    note = cache / "writing" / "dead" / "note"
    note.parent.mkdir(parents=True)
    note.write_bytes(os.fsencode(tmp_path / "precious.dcm"))
    leftovers.sweep()
    assert not note.exists()
    assert (tmp_path / "precious.dcm").exists()


def test_what_earlier_versions_left_goes_after_a_day(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / "secondread" / "measurements"
    folder.mkdir(parents=True)
    for name in (".old.part", ".new.part", "kept.json"):
        (folder / name).write_text("x")
    for name in (".old.part", "kept.json"):
        os.utime(folder / name, (time.time() - 90_000,) * 2)
    leftovers.sweep()
    assert sorted(each.name for each in folder.iterdir()) == [".new.part", "kept.json"]


def test_nothing_is_left_where_notes_cannot_be_made(cache, tmp_path):
    cache.mkdir(parents=True)
    (cache / "writing").write_text("in the way")
    atomic.replace_text(tmp_path / "a.txt", "written all the same")
    assert (tmp_path / "a.txt").read_text() == "written all the same"


def test_a_lock_is_of_one_at_a_time_and_ends_with_its_process(tmp_path):
    lock = tmp_path / ".lock"
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom inference import locks\n"
        "held = locks.take(Path(sys.argv[1]))\nassert held\nprint('here', flush=True)\n"
        "time.sleep(60)\n"
    )
    with (
        locks.held(lock, 0.0),
        pytest.raises(OSError, match="another window"),
        locks.held(lock, 0.0),
    ):
        pytest.fail("two held it")
    killed(program, lock)
    with locks.held(lock, 5.0):
        assert lock.exists()
