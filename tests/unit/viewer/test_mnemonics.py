"""Letters by which menus are chosen."""

from __future__ import annotations

import pytest

from viewer.declaring import MENUS
from viewer.mnemonics import with_mnemonics


def _letter(text: str) -> str:
    plain = text.replace("&&", "")
    return plain[plain.index("&") + 1].casefold() if "&" in plain else ""


def test_every_menu_has_a_letter_of_its_own() -> None:
    marked = with_mnemonics(MENUS)
    letters = [_letter(text) for text in marked]
    assert "" not in letters
    assert len(set(letters)) == len(MENUS)
    assert all(letter.isalpha() for letter in letters), "Alt and a digit lay the panes out"
    assert marked[0] == "&File"


@pytest.mark.parametrize(
    ("texts", "marked"),
    [
        (("File", "Export", "Edit"), ("&File", "&Export", "E&dit")),
        (("Open files", "Open folder"), ("&Open files", "Open &folder")),
        (("3D", "1", ""), ("3&D", "1", "")),
        (("A", "A", "aa"), ("&A", "A", "aa")),
        (("Black & white", "&"), ("&Black && white", "&&")),
        (("Überall",), ("Ü&berall",)),
    ],
)
def test_letters_are_given_first_come_first_served(
    texts: tuple[str, ...], marked: tuple[str, ...]
) -> None:
    assert with_mnemonics(texts) == marked
