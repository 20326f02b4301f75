"""Known faults: small changes of the code that some test must notice (``mutants.toml``)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["ROOT", "TABLE", "Mutant", "read_mutants"]

ROOT: Final = Path(__file__).parents[1]
TABLE: Final = Path(__file__).with_name("mutants.toml")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault, and the tests that turn red with it."""

    id: str
    file: str
    fault: str
    search: str
    replace: str
    tests: tuple[str, ...]

    def __post_init__(self) -> None:
        if not (self.id and self.fault and self.search and self.tests):
            raise ValueError(f"the known fault {self.id!r} lacks a part")
        if self.search == self.replace:
            raise ValueError(f"the known fault {self.id} changes nothing")

    def apply(self, text: str) -> str:
        """Put the fault into the text of its file.

        Raises
        ------
        ValueError
            When what is searched for does not stand there exactly once.
        """
        found = text.count(self.search)
        if found != 1:
            raise ValueError(
                f"the known fault {self.id}: its search text stands {found} times in {self.file}, "
                "not once; bring tests/mutants.toml up to date"
            )
        return text.replace(self.search, self.replace)


def read_mutants(table: Path = TABLE) -> tuple[Mutant, ...]:
    """Read the table, in its order."""
    rows = tomllib.loads(table.read_text(encoding="utf-8"))["mutant"]
    return tuple(Mutant(**{**row, "tests": tuple(row["tests"])}) for row in rows)
