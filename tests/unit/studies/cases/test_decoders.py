"""What a decoder does to its process costs a slice, on the command line as in the window."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, JPEGLSLossless

from inference.cli import run
from inference.errors import BadInputError
from inference.studies import Code, dicom_decode, load, scan, thumbnail
from inference.studies.dicom_frame import Frame
from inference.studies.elsewhere import working_elsewhere

SIDE, SLICES = 40, 5

_alone = dicom_decode._decoded_alone


def abort_over_the_third(frame: Frame) -> np.ndarray:
    """Do as GDCM did over a stream that made its JPEG library doubt."""
    if frame.path.name == "2.dcm":
        os.abort()
    return _alone(frame)


@pytest.fixture
def series(
    make_dataset: Callable[..., FileDataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A compressed series, over one of whose slices the decoder dies."""
    folder = tmp_path / "series"
    folder.mkdir()
    rng = np.random.default_rng(7)
    for i in range(SLICES):
        pixels = rng.integers(0, 2000, (SIDE, SIDE)).astype(np.uint16)
        ds = make_dataset(
            pixels,
            ImagePositionPatient=[0, 0, 3.0 * i],
            InstanceNumber=i + 1,
            SOPInstanceUID=f"1.2.3.{i + 1}",
        )
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.compress(JPEGLSLossless, generate_instance_uid=False)
        ds.save_as(folder / f"{i}.dcm", enforce_file_format=True)
    monkeypatch.setattr(dicom_decode, "_decoded_alone", abort_over_the_third)
    return folder


def test_a_decoder_that_dies_costs_its_slice(series: Path) -> None:
    with working_elsewhere():
        (one,) = scan(series)[0].series
        volume = load(one)
        middle = thumbnail(scan(series / "1.dcm")[0].series[0])
    assert volume.shape[0] == SLICES - 1
    (problem,) = (each for each in volume.problems if each.code is Code.UNREADABLE_SLICES)
    assert problem.sentence == "1 of 5 slices could not be decoded and were left out."
    assert [path.name for path in problem.files] == ["2.dcm"]
    assert middle.any()


def test_on_the_command_line_it_is_one_sentence(
    series: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    assert run(["export", str(series / "2.dcm"), "--to", str(out)]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err == (
        "The decoder stopped at “2.dcm”, whose pixels are damaged or need too much memory or time; "
        "export it again, uncompressed.\n"
    )


def test_on_the_command_line_the_other_slices_are_read(
    series: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", str(series), "--to", str(tmp_path / "out.png")]) == 2
    said = capfd.readouterr().err
    assert "findings" in said, "which is what is asked for next"
    assert said.count("\n") == 1


def test_a_stream_that_ends_gdcms_process_is_one_sentence(
    make_dataset: Callable[..., FileDataset], tmp_path: Path
) -> None:
    """Between two segments stands what is no marker, of which its JPEG library warns."""
    grey = np.tile(np.linspace(0, 255, SIDE).astype(np.uint8), (SIDE, 1))
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "JPEG", quality=95)
    stream = bytearray(buffer.getvalue())
    stream[stream.index(b"\xff\xc4")] = 30
    ds = make_dataset(grey, Modality="DX")
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    ds.PixelData = encapsulate([bytes(stream)])
    ds["PixelData"].is_undefined_length = True
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    with (
        working_elsewhere(),
        pytest.raises(BadInputError, match=r"The decoder stopped at “a\.dcm”|damaged"),
    ):
        load(scan(tmp_path)[0].series[0])
