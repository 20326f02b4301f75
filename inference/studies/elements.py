"""Every element of a DICOM file, for whoever wants to see what it says: sequences, private ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydicom import dcmread
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from inference.errors import BadInputError
from inference.progress import Progress
from inference.studies.dicom_values import printable
from inference.studies.quiet import quiet

__all__ = ["LONGEST_VALUE", "Element", "read_elements"]

LONGEST_VALUE: Final = 2000
"""Characters of a value that are kept."""

_LARGE: Final = 16 * 1024
"""Bytes; what is larger (pixels, look-up tables) stays in the file, and its size is said."""
_SHOWN_BYTES: Final = 16
_DEEPEST: Final = 12
"""Sequences inside sequences; more are a file that does no one any good."""

_TELLING: Final = frozenset(
    {"AE", "AS", "DA", "DT", "LO", "LT", "OB", "PN", "SH", "ST", "TM", "UC", "UI", "UN", "UR", "UT"}
)
"""Representations in which files tell whose images they are: names, dates, free text, numbers of
studies (PS3.15, E.1). Numbers and code strings do not, outside the patient's own group."""
_PATIENT: Final = 0x0010
_STANDARD: Final = "1.2.840.10008."
"""UIDs below it are DICOM's own words, such as the transfer syntax (PS3.6, annex A)."""
_HARMLESS: Final = frozenset(
    {
        "CodeMeaning", "CodeValue", "CodingSchemeDesignator", "ConvolutionKernel",
        "ImplementationVersionName", "Manufacturer", "ManufacturerModelName", "ProtocolName",
        "SoftwareVersions", "WindowCenterWidthExplanation",
    }
)  # fmt: skip
"""Free text of the scanner and of DICOM's vocabularies, not of people."""


@dataclass(frozen=True, slots=True)
class Element:
    """One row of the list.

    Parameters
    ----------
    depth
        How many sequences it is inside of.
    tag
        ``"0010,0010"``; empty for the item of a sequence.
    name
        In words; of a private one as far as it is known.
    vr
        Value representation, two letters.
    value
        As text, at most `LONGEST_VALUE` characters; of what is large or binary its size.
    telling
        It may tell whose images these are, so that it is not for everybody to see. Wider than need
        be: dates, names, free text, identifiers, all of the patient's group, everything private.
    """

    depth: int
    tag: str
    name: str
    vr: str
    value: str
    telling: bool


def read_elements(path: Path, progress: Progress | None = None) -> tuple[Element, ...]:
    """Read all elements of a file, in its order; the pixels are named and not read.

    Parameters
    ----------
    path
        A DICOM file.
    progress
        How to be cancelled.

    Raises
    ------
    BadInputError
        When it cannot be read, or holds no element.
    CancelledError
        When it is no longer wanted.
    """
    with quiet():
        try:
            ds = dcmread(path, force=True, defer_size=_LARGE)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise BadInputError(f"“{path.name}” cannot be read ({reason}).") from error
        except Exception as error:  # damage raises nearly anything
            raise BadInputError(f"“{path.name}” is no readable DICOM file.") from error
        meta = getattr(ds, "file_meta", None) if isinstance(ds, FileDataset) else None
        found = [
            each
            for part in (meta, ds)
            if part is not None
            for each in _walk(part, 0, progress or Progress())
        ]
    if not found:
        raise BadInputError(f"“{path.name}” holds no DICOM elements.")
    return tuple(found)


def _walk(ds: Dataset, depth: int, progress: Progress) -> Iterator[Element]:
    # As it stands in the file: `get_item` would fetch what was left there.
    for tag, raw in sorted(ds.items()):
        progress.report("Reading elements", 0, 0)
        if isinstance(raw, RawDataElement) and raw.value is None and raw.length:
            yield _of(tag, _name_of(ds, tag), raw.VR or "", f"{raw.length:,} bytes", depth)
            continue
        try:
            element = ds[tag]
        except Exception:  # noqa: BLE001 - a malformed value raises nearly anything
            vr = raw.VR if isinstance(raw, RawDataElement) and raw.VR else ""
            yield _of(tag, "", vr, "cannot be read: its value is malformed", depth)
            continue
        if isinstance(element.value, Sequence):
            yield from _walk_items(element, element.value, depth, progress)
        else:
            yield _of(tag, element.name, element.VR, _text(element), depth, element.keyword)


def _walk_items(
    element: DataElement, items: Sequence, depth: int, progress: Progress
) -> Iterator[Element]:
    count = f"{len(items)} item{'' if len(items) == 1 else 's'}"
    yield Element(depth, _tag(element.tag), element.name, "SQ", count, telling=False)
    if depth >= _DEEPEST:
        return
    for number, item in enumerate(items, start=1):
        yield Element(depth + 1, "", f"Item {number} of {len(items)}", "", "", telling=False)
        yield from _walk(item, depth + 1, progress)


def _of(tag: BaseTag, name: str, vr: str, value: str, depth: int, keyword: str = "") -> Element:
    return Element(depth, _tag(tag), name, vr, value, _is_telling(tag, vr, value, keyword))


def _is_telling(tag: BaseTag, vr: str, value: str, keyword: str) -> bool:
    if tag.is_private or tag.group == _PATIENT:
        return True
    if keyword in _HARMLESS or (vr == "UI" and value.startswith(_STANDARD)):
        return False
    # Representations of a file that is damaged or undecided ("US or SS") are no promise.
    return vr[:2] in _TELLING or not vr


def _tag(tag: BaseTag) -> str:
    return f"{tag.group:04X},{tag.element:04X}"


def _name_of(ds: Dataset, tag: BaseTag) -> str:
    from pydicom.datadict import dictionary_description, dictionary_has_tag

    return dictionary_description(tag) if dictionary_has_tag(tag) else ""


def _text(element: DataElement) -> str:
    value: Any = element.value
    if isinstance(value, bytes):
        shown = value[:_SHOWN_BYTES].hex(" ")
        more = " …" if len(value) > _SHOWN_BYTES else ""
        return f"{len(value):,} bytes: {shown}{more}" if value else ""
    if value is None:
        return ""
    if element.VM > 1 and not isinstance(value, str):
        text = "\\".join(map(str, value))
    else:
        text = str(value)
    if element.VR == "UI" and getattr(value, "name", text) != text:
        text = f"{text} ({value.name})"
    text = printable(text)
    if len(text) > LONGEST_VALUE:
        return f"{text[:LONGEST_VALUE]}… ({len(text):,} characters)"
    return text
