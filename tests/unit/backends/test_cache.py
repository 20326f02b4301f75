"""Entries are whole or made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.backends.cache import Cache


def _write(folder: Path) -> None:
    (folder / "graph.bin").write_bytes(b"weights")


def test_what_was_put_is_found(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "graphs")
    assert cache.find("streams", "a") is None
    entry = cache.put("streams", "a", _write)
    assert entry is not None
    assert (entry / "graph.bin").read_bytes() == b"weights"
    assert Cache(tmp_path / "graphs").find("streams", "a") == entry


@pytest.mark.parametrize("damage", ["flip", "remove", "unlist", "add"])
def test_a_damaged_entry_is_not_found_and_can_be_put_again(tmp_path: Path, damage: str) -> None:
    cache = Cache(tmp_path)
    entry = cache.put("streams", "a", _write)
    assert entry is not None
    match damage:
        case "flip":
            (entry / "graph.bin").write_bytes(b"weighty")
        case "remove":
            (entry / "graph.bin").unlink()
        case "unlist":
            (entry / "digests.json").write_text("{", encoding="utf-8")
        case "add":
            (entry / "more").write_bytes(b"")
    assert cache.find("streams", "a") is None
    assert cache.put("streams", "a", _write) == entry
    assert cache.find("streams", "a") == entry


def test_only_the_last_key_of_a_name_is_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put("streams", "old", _write)
    cache.put("recognition", "old", _write)
    cache.put("streams", "new", _write)
    assert cache.find("streams", "old") is None
    assert cache.find("streams", "new") is not None
    assert cache.find("recognition", "old") is not None


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        _write(folder)
        raise OSError("disk full")

    cache = Cache(tmp_path)
    assert cache.put("streams", "a", fail) is None
    assert list((tmp_path / "streams").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = Cache(tmp_path / "file" / "graphs")
    assert cache.put("streams", "a", _write) is None
    assert cache.find("streams", "a") is None
