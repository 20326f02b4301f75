"""The published systems, by name."""

from __future__ import annotations

from inference.systems.base import Context, System

__all__ = ["SYSTEMS", "Context", "System", "get_system"]

SYSTEMS = ("elbana",)
"""Names for `get_system`; the first is the default."""


def get_system(name: str = "elbana") -> System:
    """Make the system of that name; torch is imported here, not before.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    if name == "elbana":
        from inference.systems.elbana import ElBana

        return ElBana()
    raise ValueError(f"unknown system {name!r}; choose one of {', '.join(SYSTEMS)}")
