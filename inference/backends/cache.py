"""Files that are costly to make, kept in the user's cache folder.

An entry is a folder of files with a list of their SHA-256; one that is not whole is made again. It
is written beside its place and moved there in one step, so no reader sees half of it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from inference import atomic

__all__ = ["Cache"]

_DIGESTS: Final = "digests.json"


def _digests(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name != _DIGESTS:
            with path.open("rb") as file:
                found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


class Cache:
    """Entries by name and key; of a name only the key that was put last is kept.

    Parameters
    ----------
    folder
        None: below the user's cache folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or user_cache_path("secondread", appauthor=False) / "graphs"

    def find(self, name: str, key: str) -> Path | None:
        """The folder of an entry; None when it is not there or not whole."""
        entry = self.folder / name / key
        try:
            listed = json.loads((entry / _DIGESTS).read_text(encoding="utf-8"))
            return entry if listed == _digests(entry) else None
        except (OSError, ValueError):
            return None

    def put(self, name: str, key: str, write: Callable[[Path], None]) -> Path | None:
        """Make an entry, replacing one that is not whole, and forget the name's other keys.

        Parameters
        ----------
        name, key
            Plain file names.
        write
            Writes the files into the folder that it is given.

        Returns
        -------
        Path or None
            The entry; None when the cache folder cannot be written.
        """
        home = self.folder / name
        try:
            home.mkdir(parents=True, exist_ok=True)
            with atomic.part_folder(home) as draft:
                write(draft)
                text = json.dumps(_digests(draft), indent=1)
                (draft / _DIGESTS).write_text(text, encoding="utf-8")
                entry = home / key
                if entry.exists():
                    shutil.rmtree(entry)
                # Another process may have been first: its entry is the same.
                with suppress(OSError):
                    draft.rename(entry)
                for other in home.iterdir():
                    if other != entry and not other.name.startswith("."):
                        shutil.rmtree(other, ignore_errors=True)
        except OSError:
            return None
        return self.find(name, key)
