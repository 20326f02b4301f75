"""OpenVINO without its telemetry, and without its library's remarks on the terminal.

On import and on conversion OpenVINO tells Google Analytics of it unless its user has opted out. A
viewer of medical images must not speak to anyone unasked, so the package that does the telling is
hidden before OpenVINO is imported; OpenVINO then uses a stub of its own. Import OpenVINO through
`load` only.

The library that looks at the processor (hwloc) prints a line where it may not look, as in a chroot
without ``/sys``; it works all the same, and the line would mean nothing to a reader.
"""

from __future__ import annotations

import importlib
import os
import sys
from functools import lru_cache
from types import ModuleType
from typing import Any

from inference.backends.runner import BackendError

__all__ = ["core", "load", "version"]

_TELLTALE = "openvino_telemetry"


@lru_cache(maxsize=1)
def load() -> Any:
    """The module ``openvino``.

    Raises
    ------
    BackendError
        When it is missing or does not fit this machine.
    """
    os.environ.setdefault("HWLOC_HIDE_ERRORS", "2")
    hidden: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    # None makes an import of that name fail, which OpenVINO expects.
    hidden[_TELLTALE] = None
    try:
        return importlib.import_module("openvino")
    except (ImportError, OSError) as error:
        raise BackendError("OpenVINO is not installed or does not fit this machine") from error


@lru_cache(maxsize=1)
def core() -> Any:
    """The one ``openvino.Core`` of this process.

    Raises
    ------
    BackendError
        When there is no OpenVINO, or it has no CPU plug-in.
    """
    made = load().Core()
    if "CPU" not in made.available_devices:
        raise BackendError("OpenVINO does not know this processor")
    return made


def version() -> str:
    """OpenVINO's release, e.g. ``"2026.4.1"``."""
    return str(load().__version__).split("-", maxsplit=1)[0]
