"""The terminal shows calibrated values with their interval, or says that there are none."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from inference.commands.summary import show
from inference.findings import Findings
from inference.studies.model import Volume


def _printed(findings: Findings, volume: Volume) -> str:
    console = Console(width=140)
    with console.capture() as captured:
        show(console, findings, volume)
    return captured.get()


def _line(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if f"│ {name} " in line)


def test_calibrated_values_and_their_interval(calibrated: Findings, volume: Volume) -> None:
    text = _printed(calibrated, volume)
    covid = _line(text, "COVID-19")
    assert "0.70" in covid
    assert "0.80" not in covid, "the network's own value is in findings.json"
    assert "0.55 to 0.85" in covid
    assert "172 pictures, 73 groups, interval of" in covid
    assert "–" in _line(text, "not COVID-19"), "no interval of this class is known"
    assert "Not calibrated" in _line(text, "Ground-glass opacity")


def test_uncalibrated_values_are_said_to_be_so(findings: Findings, volume: Volume) -> None:
    covid, *others = findings.estimates
    bare = replace(covid, calibrated=None, calibration="Not calibrated: made so.")
    covid = _line(_printed(replace(findings, estimates=(bare, *others)), volume), "COVID-19")
    assert "0.80" in covid
    assert "Not calibrated" in covid
    assert " to " not in covid
