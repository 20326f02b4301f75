"""Planes through a volume, and which way they are turned on the screen; without Qt."""

from viewer.planes.oblique import ObliqueSection
from viewer.planes.orientation import Display, EdgeLetters
from viewer.planes.section import Planes, Section, section_of, why_not

__all__ = [
    "Display",
    "EdgeLetters",
    "ObliqueSection",
    "Planes",
    "Section",
    "section_of",
    "why_not",
]
