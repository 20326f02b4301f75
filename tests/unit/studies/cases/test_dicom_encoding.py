"""How pixels are written is told by their bytes, whatever the header declares."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLSLossless,
    RLELossless,
)

from inference.errors import BadInputError
from inference.studies import Code, Volume, load, scan, thumbnail

ROWS, COLUMNS = 70, 44


def read(path: Path) -> Volume:
    (study,) = scan(path)
    (series,) = study.series
    return load(series)


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 2000, (ROWS, COLUMNS)).astype(np.uint16)


def declare(path: Path, syntax: str) -> None:
    """Change what a file declares, and nothing else."""
    data = path.read_bytes()
    meta = dcmread(path).file_meta
    length = int(meta.FileMetaInformationGroupLength)
    meta.TransferSyntaxUID = syntax
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_file_meta_info

    head = DicomBytesIO()
    write_file_meta_info(head, meta)
    path.write_bytes(data[:132] + head.getvalue() + data[144 + length :])


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        (ImplicitVRLittleEndian, ExplicitVRLittleEndian),
        (ExplicitVRLittleEndian, ImplicitVRLittleEndian),
        (ExplicitVRLittleEndian, JPEGLossless),
        (JPEG2000Lossless, ExplicitVRLittleEndian),
        (RLELossless, ExplicitVRLittleEndian),
    ],
)
def test_the_bytes_count_and_not_the_declaration(make_dataset, tmp_path, noise, written, declared):
    ds = make_dataset(noise)
    path = tmp_path / "a.dcm"
    if written in (JPEG2000Lossless, RLELossless):
        ds.compress(written, generate_instance_uid=False)
        assert next(generate_frames(ds.PixelData, number_of_frames=1))
    ds.file_meta.TransferSyntaxUID = written
    ds.save_as(path, enforce_file_format=True)
    declare(path, declared)
    np.testing.assert_array_equal(read(path).array[0], noise.astype(int) - 1024)


def test_colour_shared_by_two_pixels_is_read(make_dataset, tmp_path):
    luma = np.repeat(np.arange(ROWS, dtype=np.uint8) * 3, COLUMNS).reshape(ROWS, COLUMNS)
    packed = np.full((ROWS, COLUMNS // 2, 4), 128, np.uint8)
    packed[..., 0], packed[..., 1] = luma[:, 0::2], luma[:, 1::2]
    ds = make_dataset(
        np.zeros((ROWS, COLUMNS, 3), np.uint8), Modality="OT", RescaleSlope=None,
        SOPClassUID="1.2.840.10008.5.1.4.1.1.7", PhotometricInterpretation="YBR_FULL_422",
        RescaleIntercept=None,
    )  # fmt: skip
    ds.PixelData = packed.tobytes()
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    assert np.abs(read(tmp_path).array[0].astype(int) - luma).max() <= 1


XRAY = {
    "Modality": "CR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1", "RescaleSlope": None,
    "RescaleIntercept": None, "ImagePositionPatient": None, "ImageOrientationPatient": None,
    "PixelSpacing": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "spacing", "code"),
    [
        ({"NominalScannedPixelSpacing": [0.25, 0.2]}, (0.25, 0.2), Code.FILM_SPACING),
        ({"ImagerPixelSpacing": [0.2, 0.2], "NominalScannedPixelSpacing": [1, 1]}, (0.2, 0.2),
         Code.IMAGER_SPACING),
        ({"ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [0.2, 0.2]}, (0.2, 0.2),
         Code.IMAGER_SPACING),
        ({"ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [0.2, 0.2],
          "PixelSpacingCalibrationType": "FIDUCIAL"}, (0.2, 0.2), None),
        ({"ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [0.16, 0.16],
          "PixelSpacingCalibrationType": "GEOMETRY"}, (0.16, 0.16), None),
    ],
)  # fmt: skip
def test_the_plane_of_a_spacing_is_known(write_slice, said, spacing, code):
    volume = read(write_slice(**XRAY | said))
    assert volume.spacing[1:] == pytest.approx(spacing)
    assert volume.has_geometry
    assert [problem.code for problem in volume.problems] == ([code] if code else [])


def test_the_shape_of_pixels_is_drawn_where_their_size_is_not_known(write_slice, noise):
    path = write_slice("a.dcm", noise, **XRAY, PixelAspectRatio=[3, 1])
    volume = read(path)
    assert not volume.has_geometry
    assert volume.spacing[1:] == (3.0, 1.0)
    picture = thumbnail(scan(path)[0].series[0], 105)
    assert np.ptp(np.flatnonzero(picture.any(axis=1))) + 1 == 105
    assert np.ptp(np.flatnonzero(picture.any(axis=0))) + 1 == round(105 * COLUMNS / (3 * ROWS))


@pytest.mark.parametrize(
    "said",
    [
        {"PhotometricInterpretation": "RGB"},
        {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0},
        {"BitsAllocated": 32},
        {"BitsStored": 1, "HighBit": 0},
        {"Rows": ROWS + 1},
    ],
)
@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_a_header_against_its_stream_gives_the_stream_or_a_sentence(
    make_dataset, tmp_path, noise, syntax, said
):
    ds = make_dataset(noise)
    ds.compress(syntax, generate_instance_uid=False)
    for keyword, value in said.items():
        setattr(ds, keyword, value)
    path = tmp_path / "a.dcm"
    ds.save_as(path, enforce_file_format=True)
    # In a process of its own: a decoder that ends it must not end the tests.
    code = (
        "import sys, pathlib; from inference.studies import load, scan\n"
        "from inference.errors import BadInputError\n"
        "try: print(load(scan(pathlib.Path(sys.argv[1]))[0].series[0]).array.sum(dtype='i8'))\n"
        "except BadInputError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    read_as = str(int(noise.astype(np.int64).sum()) - 1024 * noise.size)
    assert read_as in done.stdout or "contradict each other" in done.stdout


def test_a_header_without_pixels_may_have_been_written_so(write_slice):
    path = write_slice()
    ds = dcmread(path)
    del ds.PixelData
    ds.save_as(path)
    with pytest.raises(BadInputError, match="or was written without them"):
        scan(path)


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
@pytest.mark.parametrize(
    ("high", "shift", "signed"), [(11, 0, False), (15, 4, False), (11, 0, True)]
)
def test_words_that_were_compressed_whole_hold_what_their_header_says(
    make_dataset, tmp_path, noise, syntax, high, shift, signed
):
    truth = noise.astype(np.int32) - (1000 if signed else 0)
    words = (truth << shift).astype(np.int16 if signed else np.uint16)
    if not signed and not shift:
        # An overlay in the unused bits, as older files have it.
        words |= np.uint16(0x8000)
    ds = make_dataset(words, RescaleIntercept=0)
    ds.compress(syntax, generate_instance_uid=False)
    ds.BitsStored, ds.HighBit = 12, high
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(read(tmp_path).array[0], truth)
