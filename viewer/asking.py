"""The dialogs in which the reader says what to open."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

__all__ = ["ask_files", "ask_folder", "ask_segmentations"]


def ask_files(parent: QWidget, folder: Path) -> list[Path]:
    """Ask for files; none when the reader thinks better of it.

    Parameters
    ----------
    parent
        The window.
    folder
        Where the dialog begins.
    """
    names, _ = QFileDialog.getOpenFileNames(parent, "Open images", str(folder))
    return [Path(name) for name in names]


def ask_folder(parent: QWidget, folder: Path) -> list[Path]:
    """Ask for a folder; none when the reader thinks better of it.

    Parameters
    ----------
    parent
        The window.
    folder
        Where the dialog begins.
    """
    name = QFileDialog.getExistingDirectory(parent, "Open a folder of images", str(folder))
    return [Path(name)] if name else []


def ask_segmentations(parent: QWidget, folder: Path) -> list[Path]:
    """Ask for DICOM segmentations; none when the reader thinks better of it.

    Parameters
    ----------
    parent
        The window.
    folder
        Where the dialog begins.
    """
    names, _ = QFileDialog.getOpenFileNames(parent, "Open a segmentation", str(folder))
    return [Path(name) for name in names]
