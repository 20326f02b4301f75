"""What can be said of a study: tasks and their classes, each with a key and with words.

A key is for programs: it is kept in files and compared in code, and never changes. The words are
for people alone: nothing is looked up by them, so that they may be translated one day.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["TASKS", "FindingClass", "Manifestation", "Task", "manifestation"]


class Manifestation(StrEnum):
    """The three CT manifestations of El-bana et al.; also the keys of segments."""

    GGO = "ggo"
    CONSOLIDATION = "consolidation"
    EFFUSION = "effusion"

    @property
    def label(self) -> str:
        """English name for the reader."""
        return {"ggo": "Ground-glass opacity", "consolidation": "Consolidation",
                "effusion": "Pleural effusion"}[self.value]  # fmt: skip

    @property
    def short(self) -> str:
        """Short name for chips and legends."""
        return {"ggo": "GGO", "consolidation": "Consolidation", "effusion": "Effusion"}[self.value]


@dataclass(frozen=True, slots=True)
class FindingClass:
    """One class of a task.

    Parameters
    ----------
    key
        For programs: lower-case words joined by hyphens.
    label
        Name for the reader.
    short
        Short name for chips, legends and lanes.
    """

    key: str
    label: str
    short: str


@dataclass(frozen=True, slots=True)
class Task:
    """A question that a network answers.

    Parameters
    ----------
    key
        For programs.
    title
        Heading for the reader.
    classes
        In the order of the network's outputs.
    exclusive
        True: the classes add to one (softmax). False: independent (sigmoid).
    condition
        What has to hold for the answer to mean anything, as the beginning of a sentence; ``""``
        where nothing has to.
    """

    key: str
    title: str
    classes: tuple[FindingClass, ...]
    exclusive: bool
    condition: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the classes."""
        return tuple(each.key for each in self.classes)

    def find(self, key: str) -> FindingClass | None:
        """The class of that key, or None."""
        return next((each for each in self.classes if each.key == key), None)


_COVID = FindingClass("covid-19", "COVID-19", "COVID-19")

TASKS: Final[dict[str, Task]] = {
    task.key: task
    for task in (
        Task(
            "covid-2",
            "COVID-19 recognition",
            (_COVID, FindingClass("not-covid-19", "not COVID-19", "not COVID-19")),
            exclusive=True,
        ),
        Task(
            "cxr-4",
            "Kind of pneumonia (X-ray)",
            (
                _COVID,
                FindingClass("normal", "normal", "normal"),
                FindingClass("viral-pneumonia", "viral pneumonia", "viral pneumonia"),
                FindingClass("bacterial-pneumonia", "bacterial pneumonia", "bacterial pneumonia"),
            ),
            exclusive=True,
            # It knows these four alone, and shares one among them whatever the picture shows.
            condition="If the picture shows one of these four",
        ),
        Task(
            "manifestations",
            "Manifestations",
            tuple(FindingClass(m.value, m.label, m.short) for m in Manifestation),
            exclusive=False,
        ),
    )
}
"""The tasks of El-bana et al., by their keys."""


def manifestation(key: str) -> Manifestation | None:
    """The manifestation that a class's key names; None for another class.

    >>> manifestation("ggo")
    <Manifestation.GGO: 'ggo'>
    >>> manifestation("covid-19") is None
    True
    """
    return Manifestation(key) if key in set(Manifestation) else None
