"""What tells whose images these are, and sentences without it.

Two things need it: teaching mode, in which the screen is shown to others, and "Copy details".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.studies.model import Study
    from viewer.session import ReadingSession

__all__ = [
    "GAP",
    "date_text",
    "name_text",
    "named",
    "private_words",
    "study_title",
    "time_text",
    "whose_text",
    "without",
]

GAP = "‹…›"
"""Stands where something was taken out."""

_SHORTEST_PRIVATE = 2
"""Shorter words are parts of ordinary words; replacing them would only garble the text."""

_QUOTED = re.compile("“[^”]*”")
"""Sentences quote files and folders so; these are often named after patients."""


def date_text(date: str) -> str:
    """Write a DICOM date (PS3.5, 6.2: YYYYMMDD) with dashes; anything else as it is.

    Examples
    --------
    >>> date_text("20200312"), date_text("spring")
    ('2020-03-12', 'spring')
    """
    if len(date) == 8 and date.isdigit():
        return f"{date[:4]}-{date[4:6]}-{date[6:]}"
    return date


def time_text(time: str) -> str:
    """Write a DICOM time (PS3.5, 6.2: HHMMSS.FFFFFF) as hours and minutes; else as it is.

    Examples
    --------
    >>> time_text("101112.5"), time_text("noon")
    ('10:11', 'noon')
    """
    if len(time) >= 4 and time[:4].isdecimal():
        return f"{time[:2]}:{time[2:4]}"
    return time


def name_text(name: str) -> str:
    """Write a DICOM person name (PS3.5, 6.2.1) as people do, family name first.

    Of several writings of one name the first stands, with the ideographic one beside it; the
    phonetic one stands only where there is no other.

    Examples
    --------
    >>> name_text("Doe^Jane^Mary^Dr."), name_text("Yamada^Tarou=山田^太郎=やまだ^たろう")
    ('Doe, Dr. Jane Mary', 'Yamada, Tarou (山田 太郎)')
    >>> name_text("^^^"), name_text("Doe")
    ('', 'Doe')
    """
    writings = name.split("=")
    alphabetic = _alphabetic(writings[0])
    others = [" ".join(filter(None, map(str.strip, each.split("^")))) for each in writings[1:]]
    beside = next(filter(None, others), "")
    if alphabetic and beside:
        return f"{alphabetic} ({others[0]})" if others[0] else alphabetic
    return alphabetic or beside


def _alphabetic(name: str) -> str:
    family, given, middle, prefix, suffix = (*map(str.strip, name.split("^")), *[""] * 5)[:5]
    first = " ".join(filter(None, (prefix, given, middle)))
    return ", ".join(filter(None, (family, first, suffix)))


def whose_text(study: Study) -> str:
    """Say whose study it is, and of when, in one line; empty where the file says neither."""
    parts = (name_text(study.patient_name) or study.patient_id, date_text(study.date))
    return "  ·  ".join(filter(None, parts))


def study_title(session: ReadingSession) -> str:
    """Name the open study for the title of the window: what and when, but not whose it is.

    Titles are read beyond the window, in lists of windows and by programs that record them. Empty
    in teaching mode, and while nothing is open.
    """
    study, series = session.study, session.series
    if study is None or series is None or session.manner.names_hidden:
        return ""
    modality = "" if series.modality == "OT" else series.modality
    parts = (modality, study.description or series.description, date_text(study.date))
    return " · ".join(filter(None, parts))


def private_words(studies: Iterable[Study]) -> frozenset[str]:
    """Names, ids, dates and descriptions of studies, in every form in which they are written."""
    words: set[str] = set()
    for study in studies:
        words |= {study.patient_name, study.patient_id, study.uid, study.description}
        # DICOM parts names by carets, and writings of a name by equals signs (PS3.5, 6.2).
        words |= set(re.split(r"[\^=,\s]+", study.patient_name))
        words |= {study.date, date_text(study.date)}
        for series in study.series:
            words |= {series.uid, series.description, series.institution}
    return frozenset(word for word in words if len(word) >= _SHORTEST_PRIVATE)


def without(sentence: str, private: Iterable[str]) -> str:
    """Take words, and whatever is quoted, out of a sentence.

    Parameters
    ----------
    sentence
        For a reader.
    private
        What must not stay, whatever its case.

    Examples
    --------
    >>> without("“doe.dcm” of Jane DOE is cut off.", ["Doe", "Jane"])
    '“‹…›” of ‹…› ‹…› is cut off.'
    """
    sentence = _QUOTED.sub(f"“{GAP}”", sentence)
    for word in sorted(set(private), key=len, reverse=True):
        if len(word) >= _SHORTEST_PRIVATE:
            sentence = _without_word(sentence, word)
    return sentence


def named(session: ReadingSession, sentence: str) -> str:
    """Give a sentence as it may be shown now: in teaching mode without what tells the patient."""
    if not session.manner.names_hidden:
        return sentence
    return without(sentence, private_words(session.studies))


def _without_word(text: str, word: str) -> str:
    """Replace every occurrence of a word, ignoring case."""
    folded, needle = text.casefold(), word.casefold()
    if len(folded) != len(text):
        # Folding changed the length (ß, ligatures): places no longer agree, so compare exactly.
        return text.replace(word, GAP)
    parts: list[str] = []
    start = 0
    while (at := folded.find(needle, start)) >= 0:
        parts += [text[start:at], GAP]
        start = at + len(needle)
    return "".join([*parts, text[start:]])
