"""What no result and no volume can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from inference.findings import Calibrated, Estimate, Findings, Heatmap, Manifestation, Segment
from inference.partial import Partial
from inference.studies.model import Unit, Volume
from inference.taxonomy import TASKS, FindingClass
from tests import factories

GGO, CONSOLIDATION, EFFUSION = Manifestation


@pytest.fixture(scope="module")
def volume() -> Volume:
    return factories.read_small_ct()


@pytest.fixture(scope="module")
def findings(volume: Volume) -> Findings:
    return factories.make_findings(volume)


def elsewhere(values: np.ndarray, index: Any, value: Any) -> np.ndarray:
    """A copy with another value there."""
    changed = values.copy()
    changed[index] = value
    return changed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: replace(v, slices=()), "one source a slice"),
        (lambda v: replace(v, slices=v.slices[1:]), "one source a slice"),
        (lambda v: replace(v, array=v.array[0]), "slices, rows, columns"),
        (lambda v: replace(v, affine=elsewhere(v.affine, (0, 0), np.nan)), "finite 4 × 4"),
        (lambda v: replace(v, affine=elsewhere(v.affine, (0, 0), 0.0)), "singular"),
    ],
)
def test_a_volume(change: Callable[[Volume], Volume], words: str, volume: Volume) -> None:
    with pytest.raises(ValueError, match=words):
        change(volume)


def _with_study(e: Estimate, *study: float) -> Estimate:
    return replace(e, study=study)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda e: replace(e, task="covid"), "no task 'covid'"),
        (lambda e: replace(e, classes=TASKS["cxr-4"].classes), "classes of covid-2 are"),
        (lambda e: replace(e, classes=e.classes[::-1]), "classes of covid-2 are"),
        (lambda e: replace(e, exclusive=False), "exclude each other is said wrongly"),
        (lambda e: _with_study(e, 0.4), "not as many values"),
        (lambda e: _with_study(e, 1.5, -0.5), "between 0 and 1, not 1.5"),
        (lambda e: _with_study(e, float("nan"), 0.5), "between 0 and 1, not nan"),
        (lambda e: _with_study(e, 0.5, 0.6), "add to one, not to 1.100"),
        (lambda e: replace(e, per_slice=e.per_slice[:, :1]), "other slices calibrated|of shape"),
        (lambda e: replace(e, per_slice=e.per_slice[:-1]), "other slices calibrated"),
        (lambda e: replace(e, calibrated=None, per_slice=elsewhere(e.per_slice, (4, 0), np.nan)),
         "some classes and without others"),
        (lambda e: replace(e, per_slice=elsewhere(e.per_slice, 4, np.nan)),
         "other slices calibrated"),
        (lambda e: replace(e, per_slice=elsewhere(e.per_slice, 4, (1.2, -0.2))), "outside 0 and 1"),
        (lambda e: replace(e, parts=(replace(e.parts[0], study=(0.5, 2.0)), e.parts[1])),
         "between 0 and 1, not 2.0"),
        (lambda e: replace(e, parts=e.parts[:1]), "its parts are of others"),
        (lambda e: replace(e, model="recognition-ct"), "its parts are of others"),
    ],
)  # fmt: skip
def test_an_estimate(
    change: Callable[[Estimate], Estimate], words: str, findings: Findings
) -> None:
    with pytest.raises(ValueError, match=words):
        change(findings.estimates[0])


def test_words_of_classes_may_be_others(findings: Findings) -> None:
    said = findings.estimates[0]
    other = tuple(FindingClass(c.key, c.label.upper(), c.short) for c in said.classes)
    assert replace(said, classes=other).keys == said.keys


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: replace(c, bands=c.bands[:1]), "as many bands and shares"),
        (lambda c: replace(c, shares=()), "as many bands and shares"),
        (lambda c: replace(c, bands=((0.9, 0.2), None)), "a band goes up"),
        (lambda c: replace(c, study=(1.1, -0.1)), "between 0 and 1"),
    ],
)
def test_what_is_calibrated(
    change: Callable[[Calibrated], Calibrated], words: str, findings: Findings
) -> None:
    calibrated = findings.estimates[0].calibrated
    assert calibrated is not None
    with pytest.raises(ValueError, match=words):
        change(calibrated)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: replace(s, pixels_per_slice=s.pixels_per_slice + 1), "pixels of each slice"),
        (lambda s: replace(s, mask=np.roll(s.mask, 1, axis=0)), "pixels of each slice"),
        (lambda s: replace(s, mask=s.mask.astype(np.uint8)), "of bool"),
        (lambda s: replace(s, largest_slice=None), "that with most"),
        (lambda s: replace(s, largest_slice=3), "that with most"),
        (lambda s: replace(s, lesions=1000), "too few for 1000 lesions"),
        (lambda s: replace(s, lesions=-1), "too few for -1"),
        (lambda s: replace(s, volume_ml=0.0), "do not measure"),
        (lambda s: replace(s, percent_of_lung=101.0), "do not measure"),
        (lambda s: replace(s, mean_hu=float("nan")), "no mean"),
    ],
)
def test_a_segment(change: Callable[[Segment], Segment], words: str, findings: Findings) -> None:
    with pytest.raises(ValueError, match=words):
        change(findings.segments[0])


@pytest.mark.parametrize(
    "change",
    [
        lambda s: replace(s, largest_slice=0),
        lambda s: replace(s, lesions=1),
        lambda s: replace(s, volume_ml=1.0),
        lambda s: replace(s, mean_hu=-600.0),
    ],
)
def test_a_segment_of_nothing(change: Callable[[Segment], Segment], findings: Findings) -> None:
    empty = findings.segment(EFFUSION)
    assert empty is not None
    assert empty.largest_slice is None
    with pytest.raises(ValueError, match="effusion"):
        change(empty)


def _twice(f: Findings) -> Findings:
    ggo = f.segments[0]
    return replace(f, segments=(ggo, replace(ggo, key=CONSOLIDATION)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: replace(f, affine=np.eye(3)), "finite 4 × 4"),
        (lambda f: replace(f, shape=(12, 40, 31)), "lung mask lies on another grid"),
        (lambda f: replace(f, shape=(12, 40, 31), lungs=None, lung_ml=None, segments=tuple(
            replace(s, percent_of_lung=None) for s in f.segments)), "ggo lies on another grid"),
        (lambda f: replace(f, analysed=f.analysed[1:]), "said of every slice"),
        (lambda f: replace(f, analysed=~f.analysed), "other slices than were analysed"),
        (lambda f: replace(f, analysed=elsewhere(f.analysed, 0, True)),
         "covid-2 has other slices than were analysed"),
        (lambda f: replace(f, estimates=(*f.estimates, f.estimates[0])), "two estimates of one"),
        (lambda f: replace(f, segments=(f.segments[0], f.segments[0])), "two masks of one"),
        (_twice, "pixels of both ggo and consolidation"),
        (lambda f: replace(f, lungs=None), "the lungs have no volume"),
        (lambda f: replace(f, lungs=None, lung_ml=None), "a share of the lungs"),
        (lambda f: replace(f, models=f.models[1:]), "'recognition-ct' spoke"),
        (lambda f: replace(f, models=f.models[:-1]), "'evidence' spoke"),
        (lambda f: replace(f, estimates=(), models=f.models[:3]), "'streams-lite' spoke"),
    ],
)  # fmt: skip
def test_findings(change: Callable[[Findings], Findings], words: str, findings: Findings) -> None:
    with pytest.raises(ValueError, match=words):
        change(findings)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda h: replace(h, task="manifestations"), "has no class 'covid-19'"),
        (lambda h: replace(h, values=h.values[0]), "rows, columns"),
        (lambda h: replace(h, values=h.values * 2), "between 0 and 1"),
        (lambda h: replace(h, values=elsewhere(h.values, (0, 0), np.nan)), "between 0 and 1"),
        (lambda h: replace(h, slice_index=-1), "no slice -1"),
    ],
)
def test_a_heatmap(change: Callable[[Heatmap], Heatmap], words: str, volume: Volume) -> None:
    with pytest.raises(ValueError, match=words):
        change(factories.make_heatmap(volume, 4))


def _said(p: Partial, **changes: Any) -> Partial:
    return replace(p, estimates=(replace(p.estimates[0], **changes), *p.estimates[1:]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: replace(p, planned=p.planned[1:]), "said of every slice"),
        (lambda p: replace(p, planned=~p.planned), "not planned"),
        (lambda p: replace(p, indices=p.indices[::-1]), "ascending"),
        (lambda p: replace(p, indices=p.indices[:1]), "values of others"),
        (lambda p: replace(p, codes=p.codes[:1]), "another grid"),
        (lambda p: replace(p, codes=p.codes + np.uint8(9)), "no manifestation"),
        (lambda p: _said(p, values=p.estimates[0].values * np.float32(np.nan)), "has no values"),
        (lambda p: _said(p, values=p.estimates[0].values + 1), "outside 0 and 1"),
        (lambda p: _said(p, classes=p.estimates[1].classes), "classes of covid-2"),
    ],
)
def test_a_part_of_an_analysis(
    change: Callable[[Partial], Partial], words: str, volume: Volume
) -> None:
    with pytest.raises(ValueError, match=words):
        change(factories.make_partial(volume, (4, 5)))


def test_an_xray_is_a_result_too() -> None:
    picture = factories.make_volume(
        np.zeros((1, 30, 20), np.uint16), np.eye(4), modality="DX", unit=Unit.GREY,
        has_geometry=False, has_orientation=False,
    )  # fmt: skip
    found = factories.make_findings(picture)
    assert [each.task for each in found.estimates] == ["covid-2", "cxr-4"]
    assert found.segments == ()
    assert found.lungs is None
