"""A DICOMDIR opens what it lists, never more than its folder, and says where the two differ."""

from __future__ import annotations

import gc
import shutil
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.fileset import FileSet
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage, generate_uid

from inference.errors import BadInputError
from inference.studies import Code, Study, scan


def sentences(study: Study) -> dict[str, str]:
    return {problem.code: problem.sentence for problem in study.problems}


@pytest.fixture
def disc(write_series: Callable[..., list[Path]], tmp_path: Path) -> Path:
    """Make a disc of five slices by pydicom's own writer, and return its folder."""
    given = {"StudyDate": "20200102", "StudyTime": "101112", "StudyID": "1", "AccessionNumber": ""}
    files = FileSet()
    for path in write_series([0.0, 2.0, 4.0, 6.0, 8.0], **given):
        files.add(path)
    files.write(tmp_path / "disc")
    with warnings.catch_warnings():
        # pydicom leaves a temporary folder to the collector, which complains.
        warnings.simplefilter("ignore", ResourceWarning)
        del files
        gc.collect()
    shutil.rmtree(tmp_path / "ct")
    return tmp_path / "disc"


def listing(path: Path, *ids: Sequence[str], in_use: int = 0xFFFF) -> Path:
    """Write a DICOMDIR with these Referenced File IDs."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.FileSetID = "TEST"
    records = []
    for parts in ids:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        record.RecordInUseFlag = in_use
        # pydicom would warn of what no honest writer writes.
        record[0x00041500] = DataElement(
            0x00041500, "CS", list(parts), validation_mode=pydicom.config.IGNORE
        )
        records.append(record)
    ds.DirectoryRecordSequence = records
    ds.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("folder", [False, True])
def test_a_whole_disc_opens_without_a_doubt(disc, folder):
    (study,) = scan(disc if folder else disc / "DICOMDIR")
    assert len(study.series[0].slices) == 5
    assert not study.problems


def test_missing_files_are_counted_and_named(disc):
    gone = scan(disc)[0].series[0].slices[2].path
    gone.unlink()
    for path in (disc, disc / "DICOMDIR"):
        (study,) = scan(path)
        assert len(study.series[0].slices) == 4
        sentence = sentences(study)[Code.DICOMDIR_MISSING]
        assert "1 of 5 files listed by the DICOMDIR are not there" in sentence
        assert gone.relative_to(disc).as_posix() in sentence


def test_files_that_are_not_listed_are_opened_with_the_folder_alone(disc, write_series, tmp_path):
    write_series([20.0, 22.0], folder="disc/more", uid="1.2.9")
    (study,) = scan(disc / "DICOMDIR")
    assert [len(series.slices) for series in study.series] == [5]
    assert (
        "2 DICOM files beside the DICOMDIR are not listed in it; open the folder"
        in (sentences(study)[Code.DICOMDIR_UNLISTED])
    )
    (study,) = scan(disc)
    assert sorted(len(series.slices) for series in study.series) == [2, 5]
    assert "they were opened, too" in sentences(study)[Code.DICOMDIR_UNLISTED]


@pytest.mark.parametrize(
    "parts", [("..", "SECRET"), ("DICOM", "..", "..", "SECRET"), ("", "SECRET"), ("../SECRET",)]
)
def test_entries_that_leave_the_folder_are_not_followed(write_series, tmp_path, parts):
    write_series([0.0, 2.0], folder="disc/ct")
    (secret,) = write_series([9.0], folder="SECRET.d", uid="1.2.9")
    secret.rename(tmp_path / "SECRET")
    path = listing(tmp_path / "disc" / "DICOMDIR", ("CT", "000"), ("CT", "001"), parts)
    (study,) = scan(path)
    assert [len(series.slices) for series in study.series] == [2]
    assert (
        "1 of 3 files listed by the DICOMDIR lie outside"
        in (sentences(study)[Code.DICOMDIR_OUTSIDE])
    )


def test_links_out_of_the_folder_are_not_followed(write_series, tmp_path):
    write_series([0.0, 2.0], folder="disc/ct")
    (secret,) = write_series([9.0], folder="elsewhere", uid="1.2.9")
    try:
        (tmp_path / "disc" / "LINK").symlink_to(secret)
    except OSError:
        pytest.skip("no links here")
    path = listing(tmp_path / "disc" / "DICOMDIR", ("CT", "000"), ("CT", "001"), ("LINK",))
    assert [len(series.slices) for series in scan(path)[0].series] == [2]


@pytest.mark.parametrize("name", ["ct/img000;1", "CT/IMG000.;1", "Ct/Img000."])
def test_names_are_found_however_the_disc_was_copied(write_series, tmp_path, name):
    (path,) = write_series([0.0], folder="disc/x")
    copied = tmp_path / "disc" / name
    copied.parent.mkdir()
    path.rename(copied)
    (study,) = scan(listing(tmp_path / "disc" / "DICOMDIR", ("CT", "IMG000")))
    assert [source.path for source in study.series[0].slices] == [copied]


def test_records_that_were_removed_are_not_missed(write_series, tmp_path):
    write_series([0.0, 2.0], folder="disc/ct")
    path = listing(tmp_path / "disc" / "DICOMDIR", ("CT", "GONE"), in_use=0)
    (study,) = scan(path)
    assert len(study.series[0].slices) == 2
    assert set(sentences(study)) == {Code.DICOMDIR_DAMAGED}


@pytest.mark.parametrize("data", [b"", b"\0" * 128 + b"DICM", b"hello " * 100])
def test_a_damaged_one_opens_its_folder_and_says_so(write_series, tmp_path, data):
    write_series([0.0, 2.0])
    (tmp_path / "DICOMDIR").write_bytes(data)
    (study,) = scan(tmp_path / "DICOMDIR")
    assert len(study.series[0].slices) == 2
    assert "every file of its folder was looked at" in sentences(study)[Code.DICOMDIR_DAMAGED]
    assert not scan(tmp_path)[0].problems


def test_one_that_was_copied_alone_is_refused(tmp_path):
    path = listing(tmp_path / "DICOMDIR", ("CT", "IMG000"))
    with pytest.raises(BadInputError, match="none of them is in its folder; copy the whole disc"):
        scan(path)
