"""Reading and analysing before the window opens: the sample study, and work without a screen."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from inference.errors import BadInputError, SecondReadError
from inference.progress import Progress

if TYPE_CHECKING:
    from inference.findings import Findings
    from inference.studies.model import Series, Study, Volume

__all__ = ["Reading", "Settings", "analyse", "analysed_sample", "read"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How to analyse; see `inference.systems`."""

    system: str = "elbana"
    device: str = "auto"
    streams: str = "default"


@dataclass(frozen=True, eq=False, slots=True)
class Reading:
    """A series that has been read, and perhaps analysed.

    Parameters
    ----------
    studies
        All that was found with it.
    study, series, volume
        What is to be shown.
    read_seconds
        How long reading took.
    findings
        Of this volume, or None.
    """

    studies: tuple[Study, ...]
    study: Study
    series: Series
    volume: Volume
    read_seconds: float
    findings: Findings | None = None


def read(path: Path, progress: Progress) -> Reading:
    """Read the main series at a path.

    Raises
    ------
    BadInputError
        When nothing there can be opened.
    """
    from inference import studies

    started = time.perf_counter()
    found = studies.scan(path, progress)
    study, series = studies.main_series(found)
    volume = studies.load(series, progress)
    return Reading(found, study, series, volume, time.perf_counter() - started)


def analyse(reading: Reading, settings: Settings, progress: Progress) -> Reading:
    """Analyse what has been read.

    Raises
    ------
    AnalysisError
        In words for the reader.
    """
    from inference.systems import Context, get_system

    context = Context(
        progress=progress,
        device=settings.device,
        streams=settings.streams,
        read_seconds=reading.read_seconds,
    )
    findings = get_system(settings.system).analyse(reading.volume, context)
    return replace(reading, findings=findings)


def analysed_sample(settings: Settings, progress: Progress) -> Reading:
    """Read the sample study with its findings, kept from the last start when they still hold.

    Raises
    ------
    SecondReadError
        When the sample cannot be made or analysed.
    """
    from inference import sample
    from inference.export import archive

    reading = read(sample.ensure(progress), progress)
    folder = _kept_findings(settings)
    # None yet, or of another version: then the analysis below replaces them.
    with suppress(BadInputError):
        return replace(reading, findings=archive.load(folder, reading.volume))
    reading = analyse(reading, settings, progress)
    if reading.findings is not None:
        # If they cannot be kept, the next start takes longer; nothing else depends on it.
        with suppress(SecondReadError):
            archive.save(reading.findings, reading.volume, folder)
    return reading


def _kept_findings(settings: Settings) -> Path:
    """Return the folder of the sample's findings by these very weights in these very words."""
    from platformdirs import user_cache_path

    import inference
    from inference.models import ModelStore

    parts = [inference.__version__, settings.system, settings.device, settings.streams]
    parts += sorted(record.sha256 for record in ModelStore().records)
    name = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return user_cache_path("secondread", appauthor=False) / "findings" / name
