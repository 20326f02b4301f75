"""Each kind of bad input is one clear sentence: never a traceback, never output."""

from __future__ import annotations

import contextlib
import gzip
import struct
import zlib

import numpy as np
import pytest
import SimpleITK
from PIL import Image

from inference.errors import BadInputError
from inference.studies import load, scan


@pytest.fixture(autouse=True)
def _silent(capfd):
    """Fail when anything was printed."""
    yield
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def refusal(path) -> str:
    with pytest.raises(BadInputError) as caught:
        load(scan(path)[0].series[0])
    text = str(caught.value)
    assert text.endswith((".", ")."))
    assert "\n" not in text
    assert "Error" not in text
    return text


def test_a_path_that_does_not_exist(tmp_path):
    assert "There is no file or folder" in refusal(tmp_path / "nowhere")


def test_a_path_that_no_file_system_takes(tmp_path):
    assert "There is no file or folder" in refusal(tmp_path / ("x" * 5000))


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    def walk(folder, onerror):
        onerror(PermissionError(13, "Permission denied", str(folder)))
        return iter(())

    monkeypatch.setattr("inference.studies.find.os.walk", walk)
    assert f"The folder “{tmp_path.name}” may not be read" in refusal(tmp_path)


def test_a_file_that_may_not_be_read(write_slice, monkeypatch):
    path = write_slice()

    def refuse(*_args, **_kwargs):
        raise PermissionError

    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert "“a.dcm” may not be read" in refusal(path)


def test_an_empty_folder(tmp_path):
    assert "is empty" in refusal(tmp_path)


def test_a_folder_without_any_image(tmp_path):
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / ".hidden.dcm").write_text("not looked at")
    assert "holds 1 files but no DICOM" in refusal(tmp_path)


def test_a_text_file(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    assert "is not a DICOM, NIfTI" in refusal(tmp_path / "notes.txt")


@pytest.mark.parametrize("folder", [False, True])
def test_a_text_file_named_dcm(tmp_path, folder):
    (tmp_path / "notes.dcm").write_text("hello " * 100)
    assert "is not a DICOM file although its name says so" in refusal(
        tmp_path if folder else tmp_path / "notes.dcm"
    )


@pytest.mark.parametrize("name", ["a.dcm", "a.png", "a.nii.gz", "a.nrrd"])
def test_an_empty_file(tmp_path, name):
    (tmp_path / name).touch()
    assert "is empty" in refusal(tmp_path / name)


def test_several_broken_files_are_counted(tmp_path):
    for name in ("a.dcm", "b.dcm"):
        (tmp_path / name).write_text("x")
    assert "None of the 2 files" in refusal(tmp_path)


def test_a_damaged_zip_archive(tmp_path):
    (tmp_path / "study.zip").write_bytes(b"PK\x03\x04" + b"\0" * 200)
    assert "damaged or incomplete ZIP archive" in refusal(tmp_path / "study.zip")
    assert "choose it alone" in refusal(tmp_path)


def test_dicom_cut_off_anywhere(write_slice, tmp_path):
    data = write_slice().read_bytes()
    start = data.index(b"\xe0\x7f\x10\x00")
    for length in (140, 200, 333, 400, start - 3, start + 4, start + 10, start + 12, len(data) - 1):
        (tmp_path / "a.dcm").write_bytes(data[:length])
        text = refusal(tmp_path / "a.dcm")
        assert "cut off" in text or "damaged" in text, (length, text)


def test_a_declared_length_beyond_the_file(write_slice, tmp_path):
    path = write_slice()
    data = bytearray(path.read_bytes())
    start = data.index(b"\xe0\x7f\x10\x00")
    struct.pack_into("<L", data, start + 8, 0xFFFFFFF0)
    path.write_bytes(bytes(data))
    assert "4294967280 bytes of pixels are declared" in refusal(path)


def test_a_header_element_longer_than_the_file(write_slice):
    path = write_slice(StudyDescription="x" * 20)
    data = bytearray(path.read_bytes())
    at = data.index(b"\x08\x00\x30\x10LO")
    data[at + 4 : at + 12] = b"UT\0\0" + struct.pack("<L", 0xFFFFFF00)
    path.write_bytes(bytes(data))
    assert "damaged or cut off" in refusal(path)


def test_fewer_pixels_than_declared(write_slice):
    assert "fewer pixels than the declared 1 × 40 × 80" in refusal(write_slice(Rows=80))


def test_frames_beyond_the_ceiling(write_slice):
    assert "too many" in refusal(write_slice(NumberOfFrames=2_000_000_000))


def test_encapsulated_pixels_cut_off(make_dataset, tmp_path):
    ds = make_dataset(np.random.default_rng(0).integers(0, 99, (40, 40)).astype(np.uint16))
    ds.compress("1.2.840.10008.1.2.5", generate_instance_uid=False)
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    data = (tmp_path / "a.dcm").read_bytes()
    (tmp_path / "a.dcm").write_bytes(data[:-100])
    assert "cut off" in refusal(tmp_path / "a.dcm")


def test_encapsulated_pixels_without_their_end_mark_are_whole(make_dataset, tmp_path):
    ds = make_dataset(np.zeros((40, 40), np.uint16))
    ds.compress("1.2.840.10008.1.2.5", generate_instance_uid=False)
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    data = (tmp_path / "a.dcm").read_bytes()
    (tmp_path / "a.dcm").write_bytes(data[:-8])
    assert load(scan(tmp_path)[0].series[0]).array.max() == -1024


def test_damaged_deflate(make_dataset, tmp_path):
    ds = make_dataset(np.zeros((40, 40), np.uint16))
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    data = (tmp_path / "a.dcm").read_bytes()
    start = 144 + int.from_bytes(data[140:144], "little")
    (tmp_path / "a.dcm").write_bytes(data[:start] + b"\xff" * 50)
    assert "deflated and damaged" in refusal(tmp_path / "a.dcm")


def test_control_characters_of_a_damaged_file_stay_out_of_the_sentence(write_slice):
    path = write_slice()
    data = path.read_bytes()
    path.write_bytes(data.replace(b"1.2.840.10008.1.2.1\0", b"1.2\n840\x1b10008.1.2.1\0"))
    assert "compressed as 1.2 840 10008.1.2.1, which cannot" in refusal(path)


def test_a_deflate_bomb(write_slice, monkeypatch):
    monkeypatch.setattr("inference.studies.dicom_file.MAX_INFLATED_BYTES", 10_000)
    path = write_slice()
    data = path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    meta = 144 + int.from_bytes(data[140:144], "little") + 2
    head = bytearray(data[:meta])
    head[140:144] = struct.pack("<L", meta - 144)
    at = head.index(b"1.2.840.10008.1.2.1.99")
    head[at - 2 : at] = struct.pack("<H", 22)
    packer = zlib.compressobj(wbits=-15)
    path.write_bytes(bytes(head) + packer.compress(bytes(1_000_000)) + packer.flush())
    assert "would unpack to more than" in refusal(path)


def test_dicom_too_small_for_a_chest(write_slice):
    assert "10 × 10 pixels, too few" in refusal(write_slice(pixels=np.zeros((10, 10), np.uint16)))


def test_a_palette_picture(write_slice):
    path = write_slice(
        pixels=np.zeros((40, 40), np.uint8), PhotometricInterpretation="PALETTE COLOR"
    )
    assert "export it as 8 or 16-bit grey" in refusal(path)


def test_only_objects_that_are_no_images(write_slice, tmp_path):
    write_slice("seg.dcm", Modality="SEG")
    write_slice("mr.dcm", Modality="MR")
    assert "only other DICOM objects: 1 MR, 1 SEG" in refusal(tmp_path)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_picture_of_ten_by_ten(tmp_path, suffix):
    Image.new("L", (10, 10)).save(tmp_path / f"a.{suffix}")
    assert "has 10 × 10 pixels, too few" in refusal(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_picture_cut_off(tmp_path, suffix, kept):
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(pixels).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    assert "is damaged" in refusal(path)


def test_a_picture_that_is_none(tmp_path):
    (tmp_path / "a.png").write_text("hello")
    assert "is not a PNG or JPEG picture" in refusal(tmp_path / "a.png")


def volume_file(path, size=(40, 40, 5)):
    image = SimpleITK.Image(size, SimpleITK.sitkInt16)
    SimpleITK.WriteImage(image, str(path))
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha"])
def test_a_volume_that_is_none(tmp_path, name):
    (tmp_path / name).write_text("hello " * 200)
    assert "is damaged" in refusal(tmp_path / name)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha"])
def test_a_volume_cut_off(tmp_path, name, compressed):
    path = tmp_path / name
    noise = np.random.default_rng(0).integers(-1000, 99, (5, 40, 40)).astype(np.int16)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(noise), str(path), compressed)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    text = refusal(path)
    assert "damaged" in text or "cut off" in text


def test_a_compressed_volume_with_a_flipped_bit(tmp_path):
    path = tmp_path / "a.nii.gz"
    noise = np.random.default_rng(0).integers(-1000, 99, (5, 40, 40)).astype(np.int16)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(noise), str(path))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(bytes(data))
    assert "is damaged" in refusal(path)


def test_a_volume_whose_voxels_are_elsewhere(tmp_path):
    path = volume_file(tmp_path / "a.mhd")
    header = path.read_text()
    (tmp_path / "a.raw").write_bytes(b"short")
    assert "“a.raw” is cut off" in refusal(path)
    (tmp_path / "a.raw").unlink()
    assert "“a.raw”, which holds the voxels of “a.mhd”, is missing" in refusal(path)
    for elsewhere in ("../a.raw", "/etc/hostname", "LIST", "a%03d.raw 1 5 1"):
        path.write_text(header.replace("a.raw", elsewhere))
        assert "in other places" in refusal(path)
    path.write_text(header.replace("ElementDataFile = a.raw", ""))
    assert "is damaged" in refusal(path)


def test_a_volume_that_promises_more_than_it_can_hold(tmp_path):
    path = volume_file(tmp_path / "a.nii")
    data = bytearray(path.read_bytes())
    struct.pack_into("<4h", data, 40, 3, 1200, 1200, 1200)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(bytes(data)))
    path.write_bytes(bytes(data))
    assert "its voxels take 3456000352 bytes" in refusal(path)
    assert "its voxels take 3456000000 bytes" in refusal(tmp_path / "a.nii.gz")


def test_a_volume_of_vectors(tmp_path):
    SimpleITK.WriteImage(
        SimpleITK.Image((40, 40, 4), SimpleITK.sitkVectorUInt8, 3), str(tmp_path / "a.nrrd")
    )
    assert "vectors or colours" in refusal(tmp_path / "a.nrrd")


def test_a_file_of_too_many_time_points(tmp_path, monkeypatch):
    monkeypatch.setattr("inference.studies.stored.MAX_TIME_POINTS", 2)
    image = SimpleITK.Image((40, 40, 4, 3), SimpleITK.sitkInt16)
    SimpleITK.WriteImage(image, str(tmp_path / "b.nii"))
    assert "holds 3 volumes, more than 2" in refusal(tmp_path / "b.nii")


def test_a_volume_too_small_for_a_chest(tmp_path):
    assert "10 × 10 pixels, too few" in refusal(volume_file(tmp_path / "a.nii", (10, 10, 4)))


def test_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr("inference.studies.find.MAX_FILES", 3)
    for i in range(5):
        (tmp_path / str(i)).touch()
    assert "more than 3 files" in refusal(tmp_path)


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_never_ends_in_a_traceback(write_slice, seed):
    path = write_slice()
    rng = np.random.default_rng(seed)
    data = np.frombuffer(path.read_bytes(), np.uint8).copy()
    where = rng.integers(132, 900, 12)
    data[where] = rng.integers(0, 256, where.size)
    path.write_bytes(data.tobytes())
    # Any other exception, any output and any warning fails the test.
    with contextlib.suppress(BadInputError):
        load(scan(path)[0].series[0])
