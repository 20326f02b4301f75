"""Every element of a file is listed, and what may tell the patient is known as such."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from inference.errors import BadInputError, CancelledError
from inference.progress import Progress
from inference.studies.elements import LONGEST_VALUE, Element, read_elements


@pytest.fixture
def file(write_ct: Callable[..., Path]) -> Path:
    """Give one slice with a sequence in a sequence, private elements and a long text."""
    path = write_ct(slices=1) / "000.dcm"
    ds = pydicom.dcmread(path)
    code = Dataset()
    code.CodeValue, code.CodeMeaning = "T-D3000", "Chest"
    step = Dataset()
    step.ScheduledProcedureStepDescription = "Doe, Jane: Thorax"
    step.ScheduledProtocolCodeSequence = [code]
    ds.RequestAttributesSequence = [step]
    block = ds.private_block(0x0099, "ACME", create=True)
    block.add_new(0x01, "LO", "Jane's private note")
    block.add_new(0x02, "OB", bytes(range(40)))
    ds.ImageComments = "word " * 1000
    ds.KVP = 120
    ds.Rows = ds.Columns = 200
    ds.PixelData = bytes(80_000)
    ds.save_as(path)
    return path


def by_name(elements: tuple[Element, ...], name: str) -> Element:
    """Return the one of that name."""
    (found,) = [element for element in elements if element.name == name]
    return found


def test_every_element_is_listed_in_order_with_sequences_and_private_ones(file: Path) -> None:
    elements = read_elements(file)
    tags = [e.tag for e in elements if e.depth == 0]
    assert tags[0] == "0002,0000", "what the file says of itself comes first"
    main = [tag for tag in tags if not tag.startswith("0002")]
    assert main == sorted(main)
    ds = pydicom.dcmread(file)
    assert set(main) == {f"{t.group:04X},{t.element:04X}" for t in ds.keys()}  # noqa: SIM118
    nested = [(e.depth, e.tag, e.name, e.value) for e in elements if e.depth or e.vr == "SQ"]
    assert nested == [
        (0, "0040,0275", "Request Attributes Sequence", "1 item"),
        (1, "", "Item 1 of 1", ""),
        (1, "0040,0007", "Scheduled Procedure Step Description", "Doe, Jane: Thorax"),
        (1, "0040,0008", "Scheduled Protocol Code Sequence", "1 item"),
        (2, "", "Item 1 of 1", ""),
        (2, "0008,0100", "Code Value", "T-D3000"),
        (2, "0008,0104", "Code Meaning", "Chest"),
    ]
    private = {e.tag: e.value for e in elements if e.tag.startswith("0099")}
    assert private["0099,1001"] == "Jane's private note"
    assert private["0099,1002"].startswith("40 bytes: 00 01 02")


def test_values_are_written_for_people_and_pixels_are_not_read(file: Path) -> None:
    elements = read_elements(file)
    assert by_name(elements, "Pixel Spacing").value == "5.0\\5.0"
    assert by_name(elements, "KVP").value == "120.0"
    assert by_name(elements, "Image Type").value == "ORIGINAL\\PRIMARY\\AXIAL"
    assert by_name(elements, "SOP Class UID").value == (
        "1.2.840.10008.5.1.4.1.1.2 (CT Image Storage)"
    )
    assert by_name(elements, "Pixel Data").value == "80,000 bytes"
    comments = by_name(elements, "Image Comments").value
    assert comments.startswith("word word")
    assert comments.endswith("(4,999 characters)")
    assert len(comments) < LONGEST_VALUE + 30


def test_what_may_tell_the_patient_is_known(file: Path) -> None:
    elements = read_elements(file)
    telling = {e.name for e in elements if e.telling}
    assert telling >= {
        "Patient's Name", "Patient ID", "Patient's Birth Date", "Patient's Sex", "Study Date",
        "Study Time", "Study Instance UID", "SOP Instance UID", "Study Description",
        "Series Description", "Accession Number", "Referring Physician's Name", "Image Comments",
        "Scheduled Procedure Step Description",
    }  # fmt: skip
    assert all(e.telling for e in elements if e.tag.startswith("0099"))
    plain = {e.name for e in elements if not e.telling}
    assert plain >= {
        "Modality", "Rows", "KVP", "Pixel Spacing", "SOP Class UID", "Transfer Syntax UID",
        "Manufacturer", "Code Meaning", "Instance Number",
    }  # fmt: skip


def test_a_malformed_value_is_a_row_that_says_so(file: Path) -> None:
    data = file.read_bytes()
    at = data.index(b"\x18\x00\x60\x00DS")
    file.write_bytes(data[: at + 8] + b"1..0" + data[at + 12 :])
    elements = read_elements(file)
    row = next(e for e in elements if e.tag == "0018,0060")
    assert "1..0" in row.value or "malformed" in row.value
    assert by_name(elements, "Rows").value == "200"


def test_what_is_no_dicom_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(b"")
    for name in ("a.dcm", "gone.dcm"):
        with pytest.raises(BadInputError, match=f"“{name}”"):
            read_elements(tmp_path / name)


def test_reading_can_be_cancelled(file: Path) -> None:
    progress = Progress()
    progress.cancelled.set()
    with pytest.raises(CancelledError):
        read_elements(file, progress)
