"""Stored pixels become the right values, whatever their encoding."""

from __future__ import annotations

import io
import os

import gdcm
import numpy as np
import pytest
from PIL import Image
from pydicom import dcmwrite
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from inference.errors import BadInputError
from inference.studies import (
    Code,
    Unit,
    Window,
    dicom_decode,
    dicom_retired,
    elsewhere,
    elsewhere_process,
    load,
    scan,
)


def codes(volume) -> set[str]:
    return {problem.code for problem in volume.problems} - {Code.SINGLE_SLICE}


def read(path):
    return load(scan(path)[0].series[0])


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 3000, (40, 48)).astype(np.uint16)


def test_values_are_rescaled_to_hounsfield_units(write_slice, noise):
    volume = read(write_slice(pixels=noise))
    assert volume.array.dtype == np.int16
    assert volume.unit is Unit.HU
    np.testing.assert_array_equal(volume.array[0], noise.astype(int) - 1024)


def test_signed_values_keep_their_sign(write_slice):
    pixels = np.arange(-900, 700, dtype=np.int16).reshape(40, 40)
    volume = read(write_slice(pixels=pixels, RescaleIntercept=0))
    np.testing.assert_array_equal(volume.array[0], pixels)


def test_unused_high_bits_are_ignored(write_slice, noise):
    dirty = noise | 0x8000
    volume = read(write_slice(pixels=dirty, BitsStored=12, HighBit=11))
    np.testing.assert_array_equal(volume.array[0], noise.astype(int) - 1024)


def test_each_slice_has_its_own_slope(write_series, tmp_path):
    paths = write_series([0.0, 2.0], RescaleSlope=0.5, RescaleIntercept=-1000)
    (study,) = scan(tmp_path)
    volume = load(study.series[0])
    assert volume.array.dtype == np.float32
    assert list(volume.array[:, 0, 0]) == [-988.0, -987.5]
    write_series([4.0], folder="steeper", RescaleSlope=10, RescaleIntercept=-1000)
    assert load(scan(tmp_path)[0].series[0]).array[2, 0, 0] == -760.0
    assert paths


def test_values_beyond_int16_are_kept_exactly(write_slice):
    pixels = np.full((40, 40), 65535, np.uint16)
    assert read(write_slice(pixels=pixels, RescaleIntercept=0)).array.dtype == np.uint16
    pixels[0, 0] = 0
    volume = read(write_slice(pixels=pixels))
    assert volume.array.dtype == np.float32
    assert volume.array[0, 0, 0] == -1024
    assert volume.array[0, 1, 1] == 64511


def test_padding_is_given_in_the_unit_of_the_values(write_slice, write_series, tmp_path):
    pixels = np.full((40, 40), -2000, np.int16)
    path = write_slice(pixels=pixels, PixelPaddingValue=-2000)
    assert read(path).padding == -3024
    path.unlink()
    write_series([0.0], PixelPaddingValue=0)
    write_series([2.0], folder="other", PixelPaddingValue=1)
    volume = load(scan(tmp_path)[0].series[0])
    assert volume.padding is None
    assert Code.PADDING_VARIES in codes(volume)


def test_monochrome1_is_marked_and_not_inverted(write_slice, noise):
    volume = read(write_slice(pixels=noise, PhotometricInterpretation="MONOCHROME1"))
    assert volume.inverted
    np.testing.assert_array_equal(volume.array[0], noise.astype(int) - 1024)


def test_every_window_of_the_file_is_offered_once(write_slice):
    path = write_slice(
        WindowCenter=[40, -600, 40, 0], WindowWidth=[400, 1500, 400, 0],
        WindowCenterWidthExplanation=["MEDIASTINUM", "", "MEDIASTINUM", "NONE"],
    )  # fmt: skip
    assert read(path).windows == (Window(40, 400, "MEDIASTINUM"), Window(-600, 1500, "File 2"))


def test_a_voi_table_becomes_the_window_it_spans(write_slice):
    table = Dataset()
    table.LUTDescriptor = [1000, 200, 8]
    table["LUTDescriptor"].VR = "US"
    table.LUTData = b"\0" * 1000
    table["LUTData"].VR = "OW"
    volume = read(write_slice(VOILUTSequence=Sequence([table])))
    assert volume.windows == (Window(700, 1000, "File LUT"),)
    assert Code.VOI_LUT in codes(volume)


@pytest.mark.parametrize(
    ("values", "unit", "code"),
    [
        ({}, Unit.HU, None),
        ({"RescaleType": "HU"}, Unit.HU, None),
        ({"RescaleType": "US"}, Unit.GREY, Code.NO_HU),
        ({"RescaleSlope": None, "RescaleIntercept": None}, Unit.GREY, Code.NO_HU),
        ({"RescaleIntercept": 0}, Unit.HU, Code.HU_DOUBTFUL),
        ({"BitsStored": 8, "HighBit": 7}, Unit.GREY, Code.NO_HU),
        ({"BitsStored": 8, "HighBit": 7, "RescaleType": "HU"}, Unit.GREY, Code.NO_HU),
        ({"BitsStored": 8, "HighBit": 7, "RescaleSlope": 16}, Unit.GREY, Code.NO_HU),
        (
            {"BitsStored": 8, "HighBit": 7, "RescaleSlope": 16, "RescaleType": "HU"},
            Unit.HU, Code.HU_COARSE,
        ),
        (
            {"BitsStored": 8, "HighBit": 7, "RescaleSlope": 8, "RescaleType": "HU",
             "RescaleIntercept": -300},
            Unit.GREY, Code.NO_HU,
        ),
        ({"RescaleSlope": 16}, Unit.HU, Code.HU_COARSE),
        ({"Modality": "DX"}, Unit.GREY, None),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, Unit.GREY, Code.LOCALIZER),
    ],
)  # fmt: skip
def test_hounsfield_units_are_believed_only_with_reason(write_slice, values, unit, code):
    volume = read(write_slice(**values))
    assert volume.unit is unit
    assert codes(volume) == ({code} if code else set())


def test_hounsfield_units_without_rescale_are_recognised_by_air(write_slice):
    pixels = np.full((40, 40), -1000, np.int16)
    volume = read(write_slice(pixels=pixels, RescaleSlope=None, RescaleIntercept=None))
    assert volume.unit is Unit.HU
    assert codes(volume) == {Code.HU_ASSUMED}


def test_colour_is_shown_in_grey(write_slice):
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[..., 1] = 100
    volume = read(
        write_slice(pixels=pixels, Modality="OT", RescaleSlope=None, RescaleIntercept=None)
    )
    assert volume.array.dtype == np.uint8
    assert volume.array[0, 0, 0] == 59
    assert Code.COLOUR_TO_GREY in codes(volume)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_lossless_compression_changes_nothing(make_dataset, tmp_path, noise, syntax):
    ds = make_dataset(noise)
    ds.compress(syntax, generate_instance_uid=False)
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    volume = read(tmp_path)
    np.testing.assert_array_equal(volume.array[0], noise.astype(int) - 1024)
    assert not volume.lossy


def as_jpeg_lossless(plain, path):
    reader = gdcm.ImageReader()
    reader.SetFileName(str(plain))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return path


def test_jpeg_lossless_changes_nothing(write_slice, tmp_path, noise):
    path = as_jpeg_lossless(write_slice("plain.dcm", noise), tmp_path / "jpeg.dcm")
    volume = read(path)
    np.testing.assert_array_equal(volume.array[0], noise.astype(int) - 1024)
    assert not volume.lossy


class TestElsewhere:
    """Decoders that keep the interpreter run in another process where the program has one."""

    @pytest.fixture
    def asked(self, monkeypatch):
        """Give the paths of frames that were decoded by another process."""
        paths = []
        with elsewhere.working_elsewhere() as there:
            run = there.run_within
            monkeypatch.setattr(
                there,
                "run_within",
                lambda bounds, f, frame: paths.append(frame.path.name) or run(bounds, f, frame),
            )
            yield paths

    def test_values_are_the_same(self, asked, write_slice, tmp_path):
        large = np.random.default_rng(2).integers(0, 3000, (700, 700)).astype(np.uint16)
        path = as_jpeg_lossless(write_slice("plain.dcm", large), tmp_path / "jpeg.dcm")
        volume = read(path)
        assert asked == ["jpeg.dcm"]
        np.testing.assert_array_equal(volume.array[0], large.astype(int) - 1024)

    @pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
    def test_a_small_slice_goes_there_too(self, asked, make_dataset, tmp_path, noise, syntax):
        ds = make_dataset(noise)
        ds.compress(syntax, generate_instance_uid=False)
        ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
        np.testing.assert_array_equal(read(tmp_path).array[0], noise.astype(int) - 1024)
        assert asked == ["a.dcm"]

    @pytest.mark.parametrize("syntax", [RLELossless, None])
    def test_what_no_foreign_code_decodes_stays(self, asked, make_dataset, tmp_path, noise, syntax):
        ds = make_dataset(noise)
        if syntax is not None:
            ds.compress(syntax, generate_instance_uid=False)
        ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
        np.testing.assert_array_equal(read(tmp_path).array[0], noise.astype(int) - 1024)
        assert asked == []

    def test_a_scan_lets_a_process_come(self, make_dataset, write_slice, tmp_path, noise):
        with elsewhere.working_elsewhere() as there:
            scan(write_slice("plain.dcm", noise))
            assert not there.has_any()
            scan(as_jpeg_lossless(tmp_path / "plain.dcm", tmp_path / "jpeg.dcm"))
            assert there.has_any()

    def test_colour_comes_back_as_grey(self, asked, make_dataset, tmp_path):
        colour = np.full((700, 700, 3), (10, 20, 30), np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(colour).save(buffer, "JPEG", quality=95)
        ds = make_dataset(colour, Modality="OT", RescaleSlope=None, RescaleIntercept=None)
        ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        ds.PhotometricInterpretation = "YBR_FULL_422"
        ds.PixelData = encapsulate([buffer.getvalue()])
        ds["PixelData"].is_undefined_length = True
        ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
        volume = read(tmp_path)
        assert asked == ["a.dcm"]
        assert volume.array.shape == (1, 700, 700)
        assert abs(int(volume.array[0, 350, 350]) - 18) <= 2

    def test_damage_is_told_in_the_same_sentence(self, asked, write_slice, tmp_path):
        large = np.random.default_rng(2).integers(0, 3000, (700, 700)).astype(np.uint16)
        path = as_jpeg_lossless(write_slice("plain.dcm", large), tmp_path / "jpeg.dcm")
        content = path.read_bytes()
        at = content.index(b"\xff\xd8\xff")
        path.write_bytes(content[: at + 30] + bytes(200) + content[at + 230 :])
        with pytest.raises(BadInputError, match="damaged and cannot be decoded; copy the file"):
            read(path)
        assert asked == ["jpeg.dcm"]

    def test_a_decoder_that_crashes_damages_its_slice_alone(
        self, write_slice, tmp_path, monkeypatch
    ):
        large = np.full((700, 700), 24, np.uint16)
        path = as_jpeg_lossless(write_slice("plain.dcm", large), tmp_path / "jpeg.dcm")
        monkeypatch.setattr(dicom_decode, "_decoded_alone", _crash)
        with elsewhere.working_elsewhere():
            with pytest.raises(BadInputError, match="The decoder stopped at “jpeg"):
                read(path)
            monkeypatch.undo()
            assert (read(path).array[0] == 24 - 1024).all()

    def test_where_no_process_comes_nothing_is_called_damaged(
        self, write_slice, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(elsewhere_process, "_serve", _crash)
        large = np.full((700, 700), 24, np.uint16)
        path = as_jpeg_lossless(write_slice("plain.dcm", large), tmp_path / "jpeg.dcm")
        with elsewhere.working_elsewhere():
            assert (read(path).array[0] == 24 - 1024).all()


def _crash(*_args):
    os._exit(11)


@pytest.mark.parametrize("flag", ["01", None])
def test_lossy_pixels_are_called_so(make_dataset, tmp_path, flag):
    grey = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (40, 1))
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "JPEG", quality=95)
    ds = make_dataset(grey, Modality="DX", LossyImageCompression=flag)
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    ds.PixelData = encapsulate([buffer.getvalue()])
    ds["PixelData"].is_undefined_length = True
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    volume = read(tmp_path)
    assert volume.lossy
    assert np.abs(volume.array[0].astype(int) - (grey.astype(int) - 1024)).max() < 5


def progressive(make_dataset, path, **values):
    grey = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (40, 1))
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "JPEG", quality=95, progressive=True)
    ds = make_dataset(grey, Modality="DX", **values)
    ds.file_meta.TransferSyntaxUID = UID(dicom_retired.RETIRED[1])
    ds.PixelData = encapsulate([buffer.getvalue()])
    ds["PixelData"].is_undefined_length = True
    ds.save_as(path, enforce_file_format=True)
    return grey


def test_progressive_jpeg_which_dicom_has_retired_is_decoded(make_dataset, tmp_path):
    grey = progressive(make_dataset, tmp_path / "a.dcm")
    volume = read(tmp_path)
    assert volume.lossy
    assert np.abs(volume.array[0].astype(int) - (grey.astype(int) - 1024)).max() < 5


@pytest.mark.parametrize(
    ("segment", "offset", "value"),
    [
        (b"\xff\xd8", 0, 0),  # its beginning
        (b"\xff\xc2", 4, 30),  # bits
        (b"\xff\xc2", 6, 1),  # rows
        (b"\xff\xc2", 9, 3),  # colours
        (b"\xff\xc2", 1, 0xC0),  # the process
        (b"\xff\xdb", 0, 0),  # a table
        (b"\xff\xda", 1, 0xD3),  # the first scan
        (b"JFIF", 5, 0xAB),  # the version
    ],
)
def test_progressive_jpeg_that_is_damaged_ends_no_process(
    make_dataset, tmp_path, segment, offset, value
):
    progressive(make_dataset, tmp_path / "a.dcm")
    content = bytearray((tmp_path / "a.dcm").read_bytes())
    start = content.index(b"\xff\xd8\xff")
    content[content.index(segment, start) + offset] = value
    (tmp_path / "a.dcm").write_bytes(content)
    with pytest.raises(BadInputError, match="damaged and cannot be decoded"):
        read(tmp_path)


def test_progressive_jpeg_in_colour_is_not_guessed_at(make_dataset, tmp_path):
    progressive(make_dataset, tmp_path / "a.dcm", SamplesPerPixel=3, PlanarConfiguration=0)
    with pytest.raises(BadInputError, match="which cannot be decoded; export it uncompressed"):
        read(tmp_path)


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_every_uncompressed_encoding_reads_the_same(make_dataset, tmp_path, noise, syntax):
    big = syntax == ExplicitVRBigEndian
    ds = make_dataset(noise)
    ds.PixelData = noise.astype(">u2" if big else "<u2").tobytes()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    dcmwrite(tmp_path / "a.dcm", ds, enforce_file_format=True)
    volume = read(tmp_path)
    np.testing.assert_array_equal(volume.array[0], noise.astype(int) - 1024)


def enhanced(make_dataset, tmp_path, positions):
    pixels = np.stack([np.full((40, 40), 24 + i, np.uint16) for i in range(len(positions))])
    shared, measures, plane = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.5, 0.25], 3.0
    plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence = [measures]
    shared.PlaneOrientationSequence = [plane]
    frames = []
    for i, z in enumerate(positions):
        frame, place, value, voi = Dataset(), Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, z]
        value.RescaleSlope, value.RescaleIntercept, value.RescaleType = 1, -1024 + 100 * i, "HU"
        voi.WindowCenter, voi.WindowWidth = 50, 350
        frame.PlanePositionSequence = [place]
        frame.PixelValueTransformationSequence = [value]
        frame.FrameVOILUTSequence = [voi]
        frames.append(frame)
    ds = make_dataset(
        pixels, SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1", NumberOfFrames=len(positions),
        PixelSpacing=None, ImagePositionPatient=None, ImageOrientationPatient=None,
        SliceThickness=None, RescaleSlope=None, RescaleIntercept=None,
        SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=frames,
    )  # fmt: skip
    ds.save_as(tmp_path / "enhanced.dcm", enforce_file_format=True)
    return tmp_path / "enhanced.dcm"


def test_enhanced_ct_reads_each_frame_where_it_lies(make_dataset, tmp_path):
    volume = read(enhanced(make_dataset, tmp_path, [9.0, 3.0, 6.0]))
    assert volume.array[:, 0, 0].tolist() == [-899, -798, -1000]
    assert [source.frame for source in volume.slices] == [1, 2, 0]
    assert volume.spacing == pytest.approx((3.0, 0.5, 0.25))
    assert volume.windows == (Window(50, 350, "File 1"),)
    assert volume.is_ct
    assert not codes(volume)


def test_more_frames_than_one_task_holds(make_dataset, tmp_path):
    volume = read(enhanced(make_dataset, tmp_path, [float(z) for z in range(70)]))
    assert volume.array[69, 0, 0] == 24 + 69 - 1024 + 6900


def test_plain_multi_frame_has_no_distances(write_slice):
    pixels = np.stack([np.full((40, 40), i, np.uint8) for i in range(3)])
    volume = read(
        write_slice(pixels=pixels, NumberOfFrames=3, Modality="OT", RescaleSlope=None,
                    RescaleIntercept=None)
    )  # fmt: skip
    assert volume.array[:, 0, 0].tolist() == [0, 1, 2]
    assert not volume.has_geometry
