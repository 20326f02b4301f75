"""VOI LUT Function: read from the file, and the same grey wherever it is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.export.picture import render
from inference.studies import load, scan, thumbnail
from inference.studies.dicom_header import read_header
from inference.studies.header_store import decode, encode
from inference.studies.model import VoiFunction, Window
from inference.studies.voi import grey_of

VALUES = np.array([[-1000, -200, -100, 0, 40, 100, 200, 3000]])


def expected(value: float, window: Window) -> float:
    """PS3.3 C.11.2.1.2.1, C.11.2.1.3.1 and C.11.2.1.3.2, as they are written there."""
    c, w = window.centre, window.width
    if window.function is VoiFunction.SIGMOID:
        return 255 / (1 + math.exp(max(-700.0, min(700.0, -4 * (value - c) / w))))
    if window.function is VoiFunction.LINEAR_EXACT:
        if value <= c - w / 2:
            return 0
        return 255 if value > c + w / 2 else ((value - c) / w + 0.5) * 255
    if value <= c - 0.5 - (w - 1) / 2:
        return 0
    if value > c - 0.5 + (w - 1) / 2:
        return 255
    return ((value - (c - 0.5)) / (w - 1) + 0.5) * 255


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
@pytest.mark.parametrize("function", list(VoiFunction))
def test_grey_is_what_the_standard_says(function: VoiFunction, dtype: type) -> None:
    window = Window(40.0, 400.0, function=function)
    grey = grey_of(VALUES.astype(dtype), window, inverted=False)
    wanted = [expected(float(value), window) for value in VALUES[0]]
    assert np.abs(grey[0].astype(float) - wanted).max() <= 0.5 + 1e-3
    assert np.array_equal(grey_of(VALUES.astype(dtype), window, inverted=True), 255 - grey)


def test_unsigned_values_and_no_data_are_looked_up_rightly() -> None:
    window = Window(40000.0, 1000.0, function=VoiFunction.SIGMOID)
    assert grey_of(np.array([[0, 40000, 65535]], np.uint16), window, False).tolist() == [
        [0, 128, 255]
    ]
    nothing = np.array([[np.nan, 5e9]], np.float32)
    assert grey_of(nothing, window, False).tolist() == [[0, 255]]


@pytest.mark.parametrize(
    ("said", "function"),
    [("SIGMOID", VoiFunction.SIGMOID), ("LINEAR_EXACT", VoiFunction.LINEAR_EXACT),
     (None, VoiFunction.LINEAR), ("CUBIC", VoiFunction.LINEAR)],
)  # fmt: skip
def test_the_files_function_goes_with_its_windows(
    write_slice: Callable[..., Path], said: str | None, function: VoiFunction
) -> None:
    path = write_slice(WindowCenter=[40, -600], WindowWidth=[400, 1500], VOILUTFunction=said)
    header = read_header(path)
    assert [window.function for window in header.frames[0].windows] == [function] * 2
    assert decode(encode(header), path) == header


def test_the_picture_and_the_thumbnail_are_drawn_by_it(write_slice: Callable[..., Path]) -> None:
    ramp = np.tile(np.linspace(0, 4000, 40).astype(np.uint16), (40, 1))
    path = write_slice(
        pixels=ramp, Modality="DX", WindowCenter=1000, WindowWidth=1000, VOILUTFunction="SIGMOID",
        RescaleIntercept=0, PixelSpacing=[1, 1],
    )  # fmt: skip
    (series,) = scan(path)[0].series
    volume = load(series)
    assert volume.windows[0].function is VoiFunction.SIGMOID
    wanted = grey_of(volume.array[0], volume.windows[0], volume.inverted)
    assert np.abs(thumbnail(series, 40).astype(int) - wanted).max() <= 1
    by_file = render(volume, None, 0)
    linear = replace(volume, windows=(replace(volume.windows[0], function=VoiFunction.LINEAR),))
    assert not np.array_equal(by_file, render(linear, None, 0))
