"""No volume file ends the process, waits for ever, or shows a file that was not chosen."""

from __future__ import annotations

import gzip
import io
import os
import random
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from inference.errors import BadInputError
from inference.studies import scan
from inference.studies.find import UnreadableError
from inference.studies.regular import open_regular
from inference.studies.voxels import inflated
from tests.unit.studies.cases.written_volumes import (
    HU,
    RAS,
    RAW,
    SHAPE,
    meta,
    nifti,
    nrrd,
    opened,
    refusal,
)

NAN, INF = float("nan"), float("inf")
SECRET = b"not to be shown " * 2000


@pytest.fixture
def secret(tmp_path) -> Path:
    path = tmp_path / "elsewhere" / "secret.bin"
    path.parent.mkdir()
    path.write_bytes(SECRET)
    return path


@pytest.fixture
def chosen(tmp_path) -> Path:
    folder = tmp_path / "chosen"
    folder.mkdir()
    return folder


def named(folder: Path, data_file: str) -> list[Path]:
    """Headers that call this the file of their voxels, in every way in which that can be said."""
    lines = "NDims = 3\nElementDataFile : x\n"
    return [
        nrrd(folder / "a.nrrd", b"", data_file=data_file),
        nrrd(folder / "a.nhdr", b"", data_file=data_file),
        nrrd(folder / "b.nhdr", b"", datafile=data_file),
        nrrd(folder / "c.nhdr", b"", **{"DATA_FILE": data_file}),
        meta(folder / "a.mhd", b"", ElementDataFile=data_file),
        # The first such line is the last of the header, with whatever spaces and signs.
        meta(folder / "b.mhd", b"", first=f"  ElementDataFile : {data_file}\n"),
        meta(folder / "c.mhd", RAW, first=lines, ElementDataFile=data_file),
    ]


class TestOtherFiles:
    """Voxels are in the file itself or in a plain one beside it."""

    @pytest.mark.parametrize("as_is", ["{}", "../elsewhere/{.name}", "./../elsewhere/{.name}"])
    def test_a_path_is_not_followed(self, secret, chosen, as_is):
        for path in named(chosen, as_is.format(secret)):
            refusal(path)

    @pytest.mark.parametrize(
        "name", ["", "-", ".", "..", "LIST", "LIST 2", "a%03d.raw 1 5 1", "c:\\a.raw", "sub/a.raw"]
    )
    def test_nor_a_pattern_a_list_or_another_folder(self, chosen, name):
        (chosen / "sub").mkdir()
        (chosen / "sub" / "a.raw").write_bytes(RAW)
        for path in named(chosen, name):
            refusal(path)

    def test_nor_a_link(self, secret, chosen):
        (chosen / "v.raw").symlink_to(secret)
        (chosen / "loop.raw").symlink_to(chosen / "loop.raw")
        (chosen / "zero.raw").symlink_to("/dev/zero")
        for link in ("v.raw", "loop.raw", "zero.raw"):
            texts = [refusal(path) for path in named(chosen, link)]
            assert sum(f"“{link}” is a link" in text for text in texts) >= 5

    def test_nor_a_link_of_a_pair(self, secret, chosen):
        head = nifti(chosen / "a.nii", HU, magic=b"ni1\0", offset=0).read_bytes()[:348]
        (chosen / "a.hdr").write_bytes(head)
        (chosen / "a.img").symlink_to(secret)
        assert "“a.img” is a link" in refusal(chosen / "a.hdr")

    def test_nor_what_never_ends(self, chosen):
        os.mkfifo(chosen / "v.raw")
        (chosen / "folder.raw").mkdir()
        for name in ("v.raw", "folder.raw"):
            texts = [refusal(path) for path in named(chosen, name)]
            assert sum(f"“{name}” is not a regular file" in text for text in texts) >= 5

    def test_nor_out_of_an_archive(self, tmp_path, secret):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for path in named(tmp_path, str(secret)):
                archive.write(path, path.name)
        (tmp_path / "a.zip").write_bytes(buffer.getvalue())
        refusal(tmp_path / "a.zip")

    def test_but_the_plain_file_beside_it_is(self, chosen):
        (chosen / "v.raw").write_bytes(RAW)
        for path in (
            nrrd(chosen / "a.nhdr", b"", data_file="v.raw"),
            meta(chosen / "a.mhd", b"", ElementDataFile="v.raw"),
        ):
            np.testing.assert_array_equal(opened(path).array, HU)
        with zipfile.ZipFile(chosen / "a.zip", "w") as archive:
            archive.write(chosen / "v.raw", "in/v.raw")
            archive.write(chosen / "a.mhd", "in/a.mhd")
        np.testing.assert_array_equal(opened(chosen / "a.zip").array, HU)

    def test_what_was_chosen_may_itself_be_a_link(self, chosen, tmp_path):
        (tmp_path / "link.nii").symlink_to(nifti(chosen / "a.nii", HU))
        np.testing.assert_array_equal(opened(tmp_path / "link.nii").array, HU)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.hdr", "a.img"])
def test_what_never_ends_is_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(BadInputError):
        scan(tmp_path)
    with pytest.raises(UnreadableError, match="not a regular file"):
        open_regular(tmp_path / name)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(UnreadableError, match="not a regular file"):
        open_regular(tmp_path / name)


class TestFields:
    """A field has a length, a number of values and a range; nothing else is believed."""

    @pytest.mark.parametrize(
        "said",
        [
            {"affine": RAS * NAN}, {"affine": RAS * 1e-30}, {"affine": RAS * 1e30},
            {"affine": RAS * [[1], [0], [1]]}, {"affine": RAS + [[0, 0, 0, INF]] * 3},
            {"affine": RAS + [[0, 0, 0, 1e9]] * 3}, {"affine": RAS[:, [0, 0, 2, 3]]},
            {"s": 0, "pixdim": (1, NAN, 1, 1)}, {"s": 0, "pixdim": (1, 0, 0, 0)},
            {"s": 0, "pixdim": (1, -1, 1, 1)}, {"s": 0, "q": 1, "pixdim": (1, 1e30, 1, 1)},
            {"s": 0, "q": 1, "qform": (NAN,) * 6}, {"s": 0, "q": 1, "qform": (0, 0, 1, INF, 0, 0)},
            {"slope": NAN}, {"slope": 3e38}, {"slope": 1e-30}, {"intercept": NAN},
            {"intercept": INF}, {"offset": NAN}, {"offset": -9.0}, {"offset": 1e19},
            {"offset": 351.5}, {"offset": 40.0}, {"offset": 1e6}, {"bits": 0}, {"bits": 1},
            {"bits": -32768}, {"code": 64}, {"code": 1536, "bits": 128}, {"code": 128, "bits": 24},
            {"code": 32, "bits": 64}, {"code": 0}, {"code": 1}, {"code": -1},
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
    def test_of_nifti(self, tmp_path, name, said):
        refusal(nifti(tmp_path / name, HU, **said))

    @pytest.mark.parametrize(
        "dim",
        [(0, 44), (-3, 44), (8, 44), (256, 44), (1, 44), (3, 44, 38), (3, 44, 38, 0),
         (3, 44, -38, 5), (3, 32767, 32767, 32767), (4, 44, 38, 5, 9999), (5, 44, 38, 5, 1, 3)],
    )  # fmt: skip
    def test_of_the_dimensions_of_nifti(self, tmp_path, dim):
        data = bytearray(nifti(tmp_path / "a.nii", HU).read_bytes())
        data[40:56] = np.array([*dim, 0, 0, 0, 0, 0, 0, 0][:8], "<i2").tobytes()
        (tmp_path / "a.nii").write_bytes(bytes(data))
        (tmp_path / "b.nii.gz").write_bytes(gzip.compress(bytes(data)))
        refusal(tmp_path / "a.nii")
        refusal(tmp_path / "b.nii.gz")

    @pytest.mark.parametrize(
        "said",
        [
            {"space_directions": None, "space": None, "space_origin": None, "spacings": text}
            for text in ("(" * 9000, "A" * 70000, "1 1", "1 1 1 1", "nan 1 1", "inf 1 1", "0 1 1",
                         "-1 1 1", "1e-30 1 1", "1e30 1 1", "1_0 1 1", "1e400 1 1")
        ] + [
            {"space_directions": text}
            for text in ("(" * 9000, "(1,0,0) (0,1,0)", "(1,0) (0,1) (0,0)", "(1,0,0)" * 3 + "x",
                         "(1,0,0) (1,0,0) (0,0,1)", "(nan,0,0) (0,1,0) (0,0,1)", "none none none",
                         "(0,0,0) (0,1,0) (0,0,1)")
        ] + [
            {"sizes": "44 38"}, {"sizes": "44 38 -5"}, {"sizes": "44 38 0"}, {"sizes": "4 3.5 5"},
            {"sizes": "99999999999999999999 1 1"}, {"sizes": "16384 16384 16384"}, {"sizes": None},
            {"dimension": "-1"}, {"dimension": "99999999999"}, {"dimension": "1 2"},
            {"dimension": None}, {"type": "block"}, {"type": None}, {"encoding": "bzip2"},
            {"encoding": "hex"}, {"encoding": None}, {"endian": None}, {"endian": "middle"},
            {"space": "nowhere"}, {"space_origin": "(nan,0,0)"}, {"space_origin": "(1e30,0,0)"},
            {"byte_skip": "-2"}, {"byte_skip": "9" * 30}, {"line_skip": "-1"},
            {"line_skip": "99999999"}, {"line_skip": "9999"}, {"kinds": "RGB-color domain domain"},
            {"kinds": "domain domain"}, {"Sizes": "44 38 5"},
        ],
    )  # fmt: skip
    def test_of_nrrd(self, tmp_path, said):
        refusal(nrrd(tmp_path / "a.nrrd", RAW, **said))

    @pytest.mark.parametrize(
        "said",
        [
            {"NDims": "-1"}, {"NDims": "16384 16384 8"}, {"NDims": "9" * 20}, {"NDims": "1"},
            {"NDims": "10"}, {"NDims": None}, {"NDims": "3.5"}, {"BinaryData": "short"},
            {"BinaryData": "12"}, {"BinaryData": "False"}, {"BinaryData": "False",
                                                            "CompressedData": "True"},
            {"CompressedData": "zlib"}, {"CompressedData": "True"}, {"DimSize": "44 -38 -5"},
            {"DimSize": "44 38"}, {"DimSize": "44 38 5 1"}, {"DimSize": "0 0 0"},
            {"DimSize": "9999 9999 9999"}, {"ElementType": "MET_STRING"}, {"ElementType": None},
            {"ElementSpacing": "nan nan nan"}, {"ElementSpacing": "0 1 1"},
            {"ElementSpacing": "1e-30 1 1"}, {"ElementSpacing": "1e30 1 1"},
            {"ElementSpacing": "1 1"}, {"ElementSpacing": "1" * 3000},
            {"ElementSpacing": "-1 1 1", "TransformMatrix": None}, {"Offset": "inf 0 0"},
            {"Offset": "1e30 0 0"}, {"TransformMatrix": "1 0 0 1 0 0 0 0 1"},
            {"TransformMatrix": "2 0 0 0 1 0 0 0 1"}, {"TransformMatrix": "0 0 0 0 0 0 0 0 0"},
            {"TransformMatrix": "1 0 0 0 1 0 0 0"}, {"ElementNumberOfChannels": "3"},
            {"ElementNumberOfChannels": "1000000"}, {"HeaderSize": "-2"}, {"HeaderSize": "7"},
            {"HeaderSize": "99999999"}, {"ObjectType": "Tube"},
            {"ElementToIntensityFunctionSlope": "nan"}, {"A" * 100: "1"},
        ],
    )  # fmt: skip
    def test_of_metaimage(self, tmp_path, said):
        refusal(meta(tmp_path / "a.mha", RAW, **said))

    def test_said_twice(self, tmp_path):
        assert "twice" in refusal(meta(tmp_path / "a.mha", RAW, first="NDims = 3\n"))

    def test_without_an_end(self, tmp_path):
        (tmp_path / "a.nrrd").write_bytes(b"NRRD0004\n" + b"# note\n" * 300_000)
        assert "without end" in refusal(tmp_path / "a.nrrd")
        (tmp_path / "a.mha").write_bytes(b"Comment = note\n" + b"\n" * 300_000)
        assert "not a MetaImage" in refusal(tmp_path / "a.mha")

    def test_of_text_that_is_no_numbers(self, tmp_path):
        words = [*map(str, HU.ravel())]
        for at, word in ((0, "x"), (5, "1_0"), (9, "40000"), (9, "1.5"), (-1, "9" * 4000)):
            wrong = words.copy()
            wrong[at] = word
            path = meta(tmp_path / "a.mha", " ".join(wrong).encode(), BinaryData="False")
            assert "damaged" in refusal(path)
        path = meta(tmp_path / "a.mha", " ".join(words[:-1]).encode(), BinaryData="False")
        assert "damaged or cut off" in refusal(path)


class TestCompressed:
    """What was compressed is unpacked as far as its header says, and checked."""

    def test_what_cannot_unpack_to_so_much_takes_no_memory(self, tmp_path):
        packed = zlib.compress(RAW)
        said = {"CompressedData": "True", "CompressedDataSize": "4294967295"}
        assert "cut off" in refusal(meta(tmp_path / "a.mha", packed, **said))
        path = nrrd(tmp_path / "a.nrrd", packed, encoding="gzip", sizes="2000 2000 500")
        assert "cut off" in refusal(path)

    @pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd", "a.mha"])
    def test_a_wrong_checksum_is_found(self, tmp_path, name):
        packed = bytearray(gzip.compress(RAW))
        packed[-6] ^= 1
        if name == "a.nii.gz":
            data = bytearray(nifti(tmp_path / name, HU).read_bytes())
            data[-6] ^= 1
            (tmp_path / name).write_bytes(bytes(data))
        elif name == "a.nrrd":
            nrrd(tmp_path / name, bytes(packed), encoding="gzip")
        else:
            meta(tmp_path / name, bytes(packed), CompressedData="True")
        assert "damaged or cut off" in refusal(tmp_path / name)

    def test_more_than_was_promised_is_left(self, tmp_path):
        data = nifti(tmp_path / "a.nii", HU).read_bytes()
        (tmp_path / "b.nii.gz").write_bytes(gzip.compress(data + bytes(50 << 20)))
        np.testing.assert_array_equal(opened(tmp_path / "b.nii.gz").array, HU)
        head = inflated(tmp_path / "b", io.BytesIO(gzip.compress(b"ab") + b"rubbish"), 9)
        assert head == b"ab"


@pytest.mark.parametrize("name", ["a.nii", "a.nrrd", "a.mha"])
@pytest.mark.parametrize("other", ["t.tif", "v.vtk", "h.nrrd", "h.mha", "h.nii"])
def test_another_format_under_a_false_name_is_refused(tmp_path, name, other):
    if name[1:] == other[1:]:
        other = "t.tif"
    image = SimpleITK.GetImageFromArray(HU)
    SimpleITK.WriteImage(image, str(tmp_path / other))
    (tmp_path / other).rename(tmp_path / name)
    assert "although its name says so" in refusal(tmp_path / name)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.hdr", "a.nrrd", "a.mha"])
def test_a_header_of_any_bytes_is_read_or_refused(tmp_path, name):
    path = tmp_path / name
    if name == "a.nrrd":
        whole = nrrd(path, RAW).read_bytes()
    elif name == "a.mha":
        whole = meta(path, RAW).read_bytes()
    else:
        whole = nifti(tmp_path / "b.nii", HU, q=1).read_bytes()
    draw = random.Random(name)  # noqa: S311 - the same damage each time
    read = 0
    for _ in range(250):
        data = bytearray(whole)
        for _ in range(draw.choice((1, 1, 2, 5))):
            at = draw.randrange(348)
            data[at : at + draw.choice((0, 1, 1, 4))] = draw.choice(
                (bytes([draw.randrange(256)]), b"\0\0\xc0\x7f", b"\0\0\x80\xff", b"-", b"9", b"\n")
            )
        path.write_bytes(gzip.compress(bytes(data)) if name.endswith(".gz") else bytes(data))
        try:
            volume = opened(path)
        except BadInputError:
            continue
        assert np.isfinite(volume.affine).all()
        assert np.isfinite(volume.array.astype(np.float64)).all()
        read += 1
    assert 0 < read < 250


SILENT = """
import sys
from pathlib import Path
from inference.errors import BadInputError
from inference.studies import load, scan, thumbnail
opened = 0
for study in scan(Path(sys.argv[1])):
    for series in study.series:
        for read in (load, thumbnail):
            try:
                read(series)
                opened += 1
            except BadInputError:
                pass
sys.exit(opened)
"""


def test_nothing_is_printed_by_libraries(tmp_path):
    nifti(tmp_path / "a.nii", HU, s=0, q=1, qform=(0.9, 0.9, 0.9, 0, 0, 0), pixdim=(7, 1, 1, 3))
    nifti(tmp_path / "b.nii.gz", np.full(SHAPE, np.nan), "f4", units=9)
    nrrd(tmp_path / "c.nrrd", gzip.compress(RAW)[:-3], encoding="gzip")
    meta(tmp_path / "d.mha", RAW[:-5], ElementSpacing="1 1 x")
    meta(tmp_path / "e.mha", RAW, first="ITK_InputFilterName = NiftiImageIO\n")
    done = subprocess.run(
        [sys.executable, "-c", SILENT, str(tmp_path)], capture_output=True, check=False
    )
    # The first and the last whole, of the third all but its end.
    assert (done.returncode, done.stdout, done.stderr) == (5, b"", b"")
