"""What the window remembers from one start to the next; of patients only the paths opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from PySide6.QtCore import QByteArray, QSettings

__all__ = ["MOST_RECENT", "Settings"]

MOST_RECENT: Final = 10
"""Most paths in the list of what was opened."""

_LAYOUT_VERSION = 1
"""Raised when the window's parts change, so that an old layout is not forced upon new ones."""

_RECENT = 12
"""So many commands are remembered."""


class Settings:
    """A typed view of QSettings.

    Parameters
    ----------
    store
        Where values live; the user's own by default.
    """

    def __init__(self, store: QSettings | None = None) -> None:
        self._store = store if store is not None else QSettings("SecondRead", "SecondRead")

    @property
    def last_folder(self) -> Path:
        """Folder of the last study opened; the home folder at first."""
        value = self._store.value("last_folder")
        folder = Path(value) if isinstance(value, str) and value else Path.home()
        return folder if folder.is_dir() else Path.home()

    def set_last_folder(self, folder: Path) -> None:
        """Remember a folder."""
        self._store.setValue("last_folder", str(folder))

    @property
    def last_export_folder(self) -> Path | None:
        """Folder of the last file exported; None where there is none yet, or it is gone."""
        value = self._store.value("last_export_folder")
        folder = Path(value) if isinstance(value, str) and value else None
        return folder if folder is not None and folder.is_dir() else None

    def set_last_export_folder(self, folder: Path) -> None:
        """Remember a folder."""
        self._store.setValue("last_export_folder", str(folder))

    @property
    def recent(self) -> tuple[Path, ...]:
        """What was opened, newest first; nothing but paths."""
        try:
            names = json.loads(str(self._store.value("recent", "[]")))
        except ValueError:
            return ()
        if not isinstance(names, list):
            return ()
        return tuple(Path(name) for name in names if isinstance(name, str))[:MOST_RECENT]

    def add_recent(self, path: Path) -> None:
        """Put a path at the head of the list, unless the reader wants none."""
        if self.keeps_recent:
            paths = [path, *(other for other in self.recent if other != path)]
            self._store.setValue("recent", json.dumps([str(p) for p in paths[:MOST_RECENT]]))

    def clear_recent(self) -> None:
        """Forget what was opened."""
        self._store.remove("recent")

    @property
    def keeps_recent(self) -> bool:
        """The reader wants a list of what was opened; True at first."""
        return str(self._store.value("keeps_recent", "true")) == "true"

    def set_keeps_recent(self, kept: bool) -> None:
        """Keep a list of what is opened, or none; the one that is there is forgotten."""
        self._store.setValue("keeps_recent", "true" if kept else "false")
        if not kept:
            self.clear_recent()

    @property
    def notice_read(self) -> bool:
        """The reader has dismissed the research-use-only notice once."""
        return str(self._store.value("notice_read", "false")) == "true"

    def set_notice_read(self) -> None:
        """Do not show the notice again."""
        self._store.setValue("notice_read", "true")

    @property
    def choices(self) -> str:
        """What the reader chose in the settings, as `viewer.options.read_choices` reads it."""
        return str(self._store.value("choices", ""))

    def set_choices(self, text: str) -> None:
        """Remember what the reader chose."""
        self._store.setValue("choices", text)

    @property
    def recent_commands(self) -> tuple[str, ...]:
        """Ids of the commands run from the palette last, the last one first."""
        return tuple(filter(None, str(self._store.value("recent_commands", "")).split(" ")))

    def set_recent_commands(self, ids: tuple[str, ...]) -> None:
        """Remember the commands run last."""
        self._store.setValue("recent_commands", " ".join(ids[:_RECENT]))

    def layout(self, part: str) -> QByteArray | None:
        """Saved geometry or splitter state of a part of the window, or None."""
        value = self._store.value(f"layout{_LAYOUT_VERSION}/{part}")
        return value if isinstance(value, QByteArray) and not value.isEmpty() else None

    def set_layout(self, part: str, state: QByteArray) -> None:
        """Remember geometry or splitter state of a part of the window."""
        self._store.setValue(f"layout{_LAYOUT_VERSION}/{part}", state)

    @property
    def named_layouts(self) -> list[str]:
        """Layouts of panes that have a name, as `viewer.layouts.to_text` writes them."""
        value = self._store.value("named_layouts", [])
        return [str(text) for text in value] if isinstance(value, list) else [str(value)]

    def set_named_layouts(self, texts: list[str]) -> None:
        """Remember them."""
        self._store.setValue("named_layouts", texts)

    def layout_for(self, modality: str) -> str:
        """The layout of panes that a modality last had, or empty."""
        return str(self._store.value(f"panes/{modality}", ""))

    def set_layout_for(self, modality: str, text: str) -> None:
        """Remember it."""
        self._store.setValue(f"panes/{modality}", text)

    def sync(self) -> None:
        """Write now."""
        self._store.sync()
