"""What others have published of lesions in COVID-19 and in CAP, from one resources file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["PublishedLesions", "PublishedRanges", "PublishedValues", "load_published_lesions"]


@dataclass(frozen=True, slots=True)
class PublishedValues:
    """One number for each disease.

    Parameters
    ----------
    where
        Section and figure.
    what
        What the numbers are, in a sentence or two.
    values
        (disease, number), in the order of the file.
    """

    where: str
    what: str
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class PublishedRanges:
    """Ranges of HU that hold more than so many percent of a disease's lesion voxels."""

    disease: str
    percent: float
    ranges: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class PublishedLesions:
    """The four findings of a publication.

    Parameters
    ----------
    source, what
        The publication, and what it measured.
    count, percent_of_lung, peripheral_percent
        Means of the diseases.
    hu_where
        Section and figure of `hu`.
    hu
        One for each disease.
    """

    source: str
    what: str
    count: PublishedValues
    percent_of_lung: PublishedValues
    peripheral_percent: PublishedValues
    hu_where: str
    hu: tuple[PublishedRanges, ...]


@cache
def load_published_lesions() -> PublishedLesions:
    """Return what stands in ``resources/published_lesions.json``."""
    content = json.loads((files("resources") / "published_lesions.json").read_text("utf-8"))
    values = {
        name: PublishedValues(entry["where"], entry["what"], tuple(entry["values"].items()))
        for name, entry in content["patterns"].items()
    }
    return PublishedLesions(
        source=content["source"],
        what=content["what"],
        **values,
        hu_where=content["hu"]["where"],
        hu=tuple(
            PublishedRanges(
                name, entry["percent"], tuple((low, high) for low, high in entry["ranges"])
            )
            for name, entry in content["hu"]["ranges"].items()
        ),
    )
