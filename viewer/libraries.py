"""Libraries are loaded without holding up the window, then or afterwards.

The system's loader takes a quarter of a second to bring a library like PyTorch into memory, and
longer from a slow disk. Python's import holds the interpreter meanwhile, so that the window stands
still on whatever thread the import happens. Called by itself before the import, the loader holds
nothing, and the import finds its work done.

Afterwards Python looks through everything that is in memory, now and then, for what nothing refers
to any more. That takes another quarter of a second when PyTorch and pydicom are among it. Libraries
stay until the end, so there is nothing to be found in them: they are taken out of what is looked
through.

And PySide reads the source of every module that is imported after it, PyTorch's thousand among
them, to see whether the name of PySide is in it; the text stays in memory, too. That is for a
switch that nothing here uses, and it is spared.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["bring_in", "is_loading", "keep", "loading", "prepare"]

_HEAVY = {
    "torch": ("lib/libtorch.so", "lib/libtorch.dylib"),
    "SimpleITK": ("_SimpleITK*.so",),
    "openvino": ("libs/libopenvino.so*", "libs/libopenvino_intel_cpu_plugin.so"),
}
"""Files of compiled code that take long to load and are free of Python, below the package."""


_TURN_SECONDS = 0.001
"""A thread that computes keeps the interpreter for so long when another asks for it. Drawing a
picture lets it go and asks for it tens of times, and would wait for Python's 5 ms each time."""


_under_way: list[str] = []
"""Libraries that are being loaded, on any thread."""


def is_loading() -> bool:
    """Whether a library is being loaded: then all that it has brought so far would be searched."""
    return bool(_under_way)


def prepare() -> None:
    """Be quick to hand the interpreter over, and spare PySide's reading of sources.

    To be called before the window's modules are imported; once more does no harm.
    """
    sys.setswitchinterval(_TURN_SECONDS)
    importlib.import_module("PySide6.QtCore")
    # Private: another release may keep it elsewhere, and read the sources again.
    feature: Any = sys.modules.get("shibokensupport.feature")
    if hasattr(feature, "_mod_uses_pyside"):
        feature._mod_uses_pyside = _uses_no_switch


def _uses_no_switch(_module: ModuleType) -> bool:
    """Answer for a module that has no ``from __feature__ import``; then PySide changes nothing."""
    return False


def keep() -> None:
    """Leave what is in memory now out of all later searches for garbage."""
    gc.freeze()


@contextmanager
def loading(name: str, *heavy: str) -> Iterator[None]:
    """Load a library within; what it brings is not looked through for garbage, now or later.

    What else is in memory at that moment is left out, too; it goes when nothing refers to it, as
    ever, unless it is part of a circle. That is why this is done once a library.

    Parameters
    ----------
    name
        The module, e.g. ``"torch"``. When it is loaded already, nothing is done.
    heavy
        Packages with much compiled code that it needs; see `bring_in`.
    """
    if name in sys.modules:
        yield
        return
    for package in heavy:
        bring_in(package)
    were_searching = gc.isenabled()
    gc.disable()
    _under_way.append(name)
    try:
        yield
    finally:
        keep()
        _under_way.remove(name)
        if were_searching:
            gc.enable()


def bring_in(package: str) -> tuple[Path, ...]:
    """Have the system load the compiled code of a package that is not imported yet.

    The interpreter goes on meanwhile. Nothing is imported, and a file that the system does not
    take is passed over: the import will say what is wrong with it.

    Parameters
    ----------
    package
        ``"torch"``, ``"SimpleITK"`` or ``"openvino"``.

    Returns
    -------
    tuple of Path
        The files that were taken; none where the package is not installed or is imported already,
        and on Windows, whose loader Python does not let through.
    """
    if package in sys.modules or os.name != "posix":
        return ()
    spec = importlib.util.find_spec(package)
    folders = [] if spec is None else [Path(f) for f in spec.submodule_search_locations or ()]
    load = ctypes.CDLL(None).dlopen  # unlike its own, a function of a library waits for nobody
    load.restype = ctypes.c_void_p
    load.argtypes = (ctypes.c_char_p, ctypes.c_int)
    return tuple(
        file
        for folder in folders
        for pattern in _HEAVY[package]
        for file in sorted(folder.glob(pattern))
        if load(os.fsencode(file), os.RTLD_LAZY | os.RTLD_LOCAL)
    )
