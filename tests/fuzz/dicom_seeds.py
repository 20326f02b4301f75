"""Sound DICOM files to begin with: each way of writing pixels that is read, made here and small."""

from __future__ import annotations

import io
import os
import random
import struct
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import gdcm
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from tests.factories import write_series
from tests.fuzz.dicom_model import Dicom, parse

__all__ = ["SYNTAX", "ct_series", "one_file", "real_file"]

SYNTAX: Final = 0x00020010
_ROOT: Final = Path(__file__).parents[2]
_SIDE: Final = 36
_MOST_BYTES: Final = 200_000
_JPEG: Final = "1.2.840.10008.1.2.4."
_GDCM: Final = {
    51: gdcm.TransferSyntax.JPEGExtendedProcess2_4,
    57: gdcm.TransferSyntax.JPEGLosslessProcess14,
    70: gdcm.TransferSyntax.JPEGLosslessProcess14_1,
}


def one_file(rng: random.Random) -> Dicom:
    """A file of one of the ways."""
    return _made(rng.choice(sorted(_WAYS))).copy()


def ct_series() -> list[Dicom]:
    """Three slices of a CT."""
    return [each.copy() for each in _series()]


def real_file(rng: random.Random) -> Dicom | None:
    """A small file that another program wrote, where such are at hand."""
    there = _real()
    return rng.choice(there).copy() if there else None


@cache
def _real() -> tuple[Dicom, ...]:
    shared = Path(os.environ.get("SECONDREAD_SHARED", _ROOT.parent / "shared"))
    found = []
    for place in ("data/dicom/more", "data/dicom/nema_wg04", "data/dicom/pydicom", "cases/hostile"):
        for path in sorted((shared / place).glob("*.dcm")):
            if path.stat().st_size <= _MOST_BYTES:
                try:
                    found.append(parse(path.read_bytes()))
                except (struct.error, IndexError, RecursionError):
                    continue  # not in explicit VR
    return tuple(found)


@cache
def _series() -> tuple[Dicom, ...]:
    return tuple(parse(data) for data in _slices())


@cache
def _slices() -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory() as folder:
        write_series(Path(folder, "ct"), _noise((3, _SIDE, _SIDE)) - 1000, WindowCenter=[-500, 40],
                     WindowWidth=[1500, 400], SpecificCharacterSet="ISO_IR 100")  # fmt: skip
        return tuple(path.read_bytes() for path in sorted(Path(folder, "ct").iterdir()))


def _noise(shape: tuple[int, ...], most: int = 1200) -> NDArray[np.int32]:
    """Smooth enough that it compresses, and with every bit in use."""
    places = np.indices(shape).sum(axis=0) * 11
    return ((places + np.random.default_rng(3).integers(0, 40, shape)) % most).astype(np.int32)


@cache
def _made(way: str) -> Dicom:
    return _WAYS[way]()


def _dataset() -> pydicom.FileDataset:
    return pydicom.dcmread(io.BytesIO(_slices()[1]))


def _saved(ds: pydicom.FileDataset, syntax: str = "") -> Dicom:
    if syntax:
        ds.file_meta.TransferSyntaxUID = syntax
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
    stream = io.BytesIO()
    # As explicit VR little endian, whatever is declared: `Dicom` writes it otherwise.
    pydicom.dcmwrite(stream, ds, implicit_vr=False, little_endian=True, force_encoding=True)
    return parse(stream.getvalue())


def _with_pixels(pixels: NDArray[Any], *, samples: int = 1, **said: Any) -> pydicom.FileDataset:
    ds = _dataset()
    bits = 8 * pixels.dtype.itemsize
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = bits, bits, bits - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.SamplesPerPixel = samples
    if samples == 3:
        ds.PhotometricInterpretation, ds.PlanarConfiguration = "RGB", 0
    ds.PixelData = pixels.tobytes()
    ds["PixelData"].VR = "OB" if bits == 8 else "OW"
    for keyword, value in said.items():
        setattr(ds, keyword, value)
    return ds


def _grey8() -> pydicom.FileDataset:
    return _with_pixels(_noise((_SIDE, _SIDE), 255).astype("u1"))


def _grey16() -> pydicom.FileDataset:
    return _with_pixels(_noise((_SIDE, _SIDE), 4000).astype("<u2"), BitsStored=12, HighBit=11)


def _colour() -> pydicom.FileDataset:
    return _with_pixels(_noise((_SIDE, _SIDE, 3), 255).astype("u1"), samples=3)


def _frames() -> pydicom.FileDataset:
    """An enhanced CT with four frames and their groups."""
    ds = _with_pixels(_noise((4, _SIDE, _SIDE), 4000).astype("<u2"), BitsStored=12, HighBit=11)
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    ds.NumberOfFrames = 4
    measures, value = Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = ds.PixelSpacing, 5.0
    value.RescaleSlope, value.RescaleIntercept, value.RescaleType = 1, -1024, "HU"
    shared, groups = Dataset(), []
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PixelValueTransformationSequence = Sequence([value])
    for frame in range(4):
        group, place, turn, content = Dataset(), Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [-11, -9, 5.0 * frame]
        turn.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        content.StackID, content.InStackPositionNumber = "1", frame + 1
        group.PlanePositionSequence = Sequence([place])
        group.PlaneOrientationSequence = Sequence([turn])
        group.FrameContentSequence = Sequence([content])
        groups.append(group)
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    ds.PerFrameFunctionalGroupsSequence = Sequence(groups)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        delattr(ds, keyword)
    return ds


def _compressed(ds: pydicom.FileDataset, syntax: str) -> Dicom:
    ds.compress(syntax, generate_instance_uid=False)
    return _saved(ds, syntax)


def _floats(keyword: str, dtype: str) -> Dicom:
    pixels = (_noise((_SIDE, _SIDE)) - 1000).astype(dtype)
    ds = _with_pixels(pixels, BitsAllocated=8 * pixels.dtype.itemsize)
    del ds.PixelData, ds.BitsStored, ds.HighBit, ds.PixelRepresentation
    setattr(ds, keyword, pixels.tobytes())
    return _saved(ds)


def _jpeg(ds: pydicom.FileDataset, mode: str, shape: tuple[int, ...]) -> Dicom:
    stream = io.BytesIO()
    Image.fromarray(np.frombuffer(ds.PixelData, "u1").reshape(shape), mode).save(stream, "JPEG")
    ds.PixelData = encapsulate([stream.getvalue()])
    return _saved(ds, f"{_JPEG}50")


def _by_gdcm(ds: pydicom.FileDataset, number: int) -> Dicom:
    """Let GDCM compress; the fragments alone are taken, the rest would be new each time."""
    syntax = f"{_JPEG}{number}"
    with tempfile.TemporaryDirectory() as folder:
        before, after = str(Path(folder, "a")), str(Path(folder, "b"))
        pydicom.dcmwrite(before, ds, enforce_file_format=True)
        reader, change = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax()
        reader.SetFileName(before)
        if not reader.Read():
            raise RuntimeError("GDCM does not read it")
        change.SetTransferSyntax(gdcm.TransferSyntax(_GDCM[number]))
        change.SetInput(reader.GetImage())
        if not change.Change():
            raise RuntimeError(f"GDCM does not write {syntax}")
        writer = gdcm.ImageWriter()
        writer.SetFileName(after)
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        writer.Write()
        ds.PixelData = pydicom.dcmread(after).PixelData
    return _saved(ds, syntax)


def _implicit() -> Dicom:
    made = _saved(_grey16())
    made.implicit = True
    made.put(SYNTAX, b"UI", b"1.2.840.10008.1.2\0")
    return made


def _big_endian() -> Dicom:
    made = _saved(_grey16())
    made.order = ">"
    made.put(SYNTAX, b"UI", b"1.2.840.10008.1.2.2\0")
    return made


def _deflated() -> Dicom:
    made = _saved(_grey16())
    made.deflated = True
    made.put(SYNTAX, b"UI", b"1.2.840.10008.1.2.1.99\0")
    return made


def _headless() -> Dicom:
    made = _implicit()
    made.meta, made.preamble = [], None
    return made


def _film() -> Dicom:
    ds = _with_pixels(_noise((_SIDE, _SIDE), 4000).astype("<u2"), Modality="DX")
    ds.PhotometricInterpretation, ds.ImagerPixelSpacing = "MONOCHROME1", [0.2, 0.2]
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    del ds.ImagePositionPatient, ds.ImageOrientationPatient, ds.RescaleSlope, ds.RescaleIntercept
    return _saved(ds)


_WAYS: Final[dict[str, Callable[[], Dicom]]] = {
    "plain": lambda: _saved(_dataset()),
    "unsigned": lambda: _saved(_grey16()),
    "eight bits": lambda: _saved(_grey8()),
    "32 bits": lambda: _saved(_with_pixels(_noise((_SIDE, _SIDE)).astype("<i4"))),
    "colour": lambda: _saved(_colour()),
    "frames": lambda: _saved(_frames()),
    "film": _film,
    "float": lambda: _floats("FloatPixelData", "<f4"),
    "double": lambda: _floats("DoubleFloatPixelData", "<f8"),
    "implicit": _implicit,
    "big endian": _big_endian,
    "deflated": _deflated,
    "headless": _headless,
    "rle": lambda: _compressed(_grey16(), RLELossless),
    "rle frames": lambda: _compressed(_frames(), RLELossless),
    "rle colour": lambda: _compressed(_colour(), RLELossless),
    "jpeg 2000": lambda: _compressed(_grey16(), JPEG2000Lossless),
    "jpeg 2000 frames": lambda: _compressed(_frames(), JPEG2000Lossless),
    "jpeg 2000 colour": lambda: _compressed(_colour(), JPEG2000Lossless),
    "jpeg-ls": lambda: _compressed(_grey16(), JPEGLSLossless),
    "jpeg-ls frames": lambda: _compressed(_frames(), JPEGLSLossless),
    "jpeg-ls colour": lambda: _compressed(_colour(), JPEGLSLossless),
    "jpeg": lambda: _jpeg(_grey8(), "L", (_SIDE, _SIDE)),
    "jpeg colour": lambda: _jpeg(_colour(), "RGB", (_SIDE, _SIDE, 3)),
    "jpeg 12": lambda: _by_gdcm(_grey16(), 51),
    "jpeg lossless": lambda: _by_gdcm(_grey16(), 70),
    "jpeg lossless 8": lambda: _by_gdcm(_grey8(), 70),
    "jpeg lossless 14": lambda: _by_gdcm(_grey16(), 57),
    "jpeg lossless frames": lambda: _by_gdcm(_frames(), 70),
}  # fmt: skip
