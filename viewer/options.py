"""What the reader can choose, with defaults, and who is told when it changes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from viewer.corners import CornerText
from viewer.mouse import MouseMap, mouse_from
from viewer.presets import presets_from, written
from viewer.session import LayerStyle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from inference.studies.model import Window
    from inference.systems.base import Context
    from viewer.settings import Settings

__all__ = [
    "BATCHES",
    "DEVICES",
    "FINDINGS_MB",
    "TEXT_SIZES",
    "Choices",
    "Chosen",
    "Scheme",
    "asked_for",
    "asked_in_words",
    "read_choices",
]

DEVICES = {
    "auto": "Automatic: the fastest there is",
    "cpu": "Processor",
    "cuda": "NVIDIA graphics card (CUDA)",
    "mps": "Apple graphics (MPS)",
}
"""Devices that an analysis can be asked for, see `inference.systems.base.Context`."""

BATCHES = (1, 2, 4, 8, 16, 32)
"""Slices computed at a time."""

FINDINGS_MB = (100, 300, 1000, 3000, 10_000)
"""How much of findings may be kept, in MB."""

TEXT_SIZES = (85, 100, 115, 130, 150)
"""Sizes of texts, in per cent."""

_MOST_THREADS = 256


class Scheme(StrEnum):
    """Which theme."""

    DARK = "dark"
    LIGHT = "light"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything that can be chosen in the settings; a new one is all defaults.

    Parameters
    ----------
    device, streams, batch_size
        What the next analysis is asked for, see `inference.systems.base.Context`.
    recogniser_ct, recogniser_xray
        `Context.recogniser`, by what is analysed.
    threads
        Processor threads of an analysis; 0: as many as there are cores.
    scheme, safe_colours
        Theme; findings in colours that colour-blind readers can tell apart.
    text_size
        Of all texts, in per cent of the usual one.
    opacity, style
        How a mask is drawn at first; opacity in (0, 1].
    export_folder
        Where files are written at first; empty: see `viewer.export_places`.
    keep_findings, findings_mb
        Findings are kept between runs; how many MB of them, the oldest go.
    keys
        What was changed of the keys, see `viewer.keymap.KeyMap`.
    mouse
        What the mouse does.
    corners_off
        What does not stand in the corners of the panes, see `viewer.corners.CornerText`.
    presets
        Window presets that the reader made or changed, by number from 1.
    """

    device: str = "auto"
    streams: str = "default"
    recogniser_ct: str = "default"
    recogniser_xray: str = "default"
    threads: int = 0
    batch_size: int = 8
    scheme: Scheme = Scheme.DARK
    safe_colours: bool = False
    text_size: int = 100
    opacity: float = 0.45
    style: LayerStyle = LayerStyle.FILL
    export_folder: str = ""
    keep_findings: bool = True
    findings_mb: int = 1000
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    mouse: MouseMap = field(default_factory=MouseMap)
    corners_off: tuple[CornerText, ...] = ()
    presets: Mapping[int, Window] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises
        ------
        ValueError
            When a value is out of its range.
        """
        if self.device not in DEVICES:
            raise ValueError(f"no such device: {self.device}")
        if self.batch_size not in BATCHES:
            raise ValueError(f"batches are {BATCHES}")
        if not 0 <= self.threads <= _MOST_THREADS:
            raise ValueError(f"threads are 0 to {_MOST_THREADS}")
        if self.findings_mb not in FINDINGS_MB:
            raise ValueError(f"so many MB of findings are kept: {FINDINGS_MB}")
        if self.text_size not in TEXT_SIZES:
            raise ValueError(f"texts are so many per cent of the usual size: {TEXT_SIZES}")
        if not 0.0 < self.opacity <= 1.0:
            raise ValueError("an opacity is above 0 and at most 1")

    def written(self) -> str:
        """Write what differs from the defaults, as JSON."""
        defaults = Choices()
        different: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if value != getattr(defaults, each.name):
                different[each.name] = value
        if "mouse" in different:
            mouse = self.mouse
            different["mouse"] = {
                each.name: getattr(mouse, each.name)
                for each in fields(mouse)
                if getattr(mouse, each.name) != getattr(defaults.mouse, each.name)
            }
        if "keys" in different:
            different["keys"] = {name: list(keys) for name, keys in self.keys.items()}
        if "presets" in different:
            different["presets"] = written(self.presets)
        return json.dumps(different)


def read_choices(text: str) -> Choices:
    """Read what `Choices.written` wrote; whatever is damaged or unknown is as at first."""
    try:
        values = json.loads(text or "{}")
    except ValueError:
        return Choices()
    choices = Choices()
    for name, value in values.items() if isinstance(values, dict) else ():
        try:
            choices = replace(choices, **{name: _understood(name, value)})
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
    return choices


_READERS: dict[str, Callable[[Any], Any]] = {
    "keys": lambda value: MappingProxyType(
        {str(key): tuple(map(str, keys)) for key, keys in value.items()}
    ),
    "corners_off": lambda value: tuple(each for each in CornerText if each.value in list(value)),
    "presets": lambda value: MappingProxyType(presets_from(value)),
    "mouse": lambda value: mouse_from(dict(value)),
}
"""How fields that are no plain values are read."""


def _understood(name: str, value: Any) -> Any:
    """Make of a JSON value what the field holds.

    Raises
    ------
    KeyError, TypeError, ValueError
        When it cannot be that.
    """
    if name in _READERS:
        return _READERS[name](value)
    kind = type(getattr(Choices(), name, None))
    if kind is float and isinstance(value, int):
        return float(value)
    if issubclass(kind, StrEnum):
        return kind(value)
    if type(value) is not kind:
        raise TypeError(name)
    return value


def asked_for(choices: Choices, command_line: Context, modality: str) -> Context:
    """Say what an analysis of a modality is asked for.

    Parameters
    ----------
    choices
        What the settings say.
    command_line
        What the program was started with; what it says other than the default counts first.
    modality
        Of the volume: ``"CT"``, or one of the X-rays.
    """
    recogniser = choices.recogniser_ct if modality == "CT" else choices.recogniser_xray
    chosen = {
        "device": choices.device,
        "streams": choices.streams,
        "recogniser": recogniser,
        "batch_size": choices.batch_size,
    }
    silent = type(command_line)()
    asked = {
        name: value
        for name, value in chosen.items()
        if getattr(command_line, name) == getattr(silent, name)
    }
    return replace(command_line, **asked)  # type: ignore[arg-type]  # names and kinds of Context


def asked_in_words(asked: Context) -> str:
    """Say what an analysis is asked for, in a few words; defaults but for the device are silent.

    Examples
    --------
    >>> from inference.systems.base import Context
    >>> asked_in_words(Context()), asked_in_words(Context(device="cpu", streams="shared"))
    ('device: automatic', 'device: cpu, streams: shared')
    """
    words = [f"device: {'automatic' if asked.device == 'auto' else asked.device}"]
    words += [
        f"{name}: {value}"
        for name, value in (("streams", asked.streams), ("recogniser", asked.recogniser))
        if value != "default"
    ]
    return ", ".join(words)


class Chosen(QObject):
    """The choices in use, kept in the settings.

    Parameters
    ----------
    settings
        Where they are read from, and written to at each change.
    """

    changed = Signal(object, object)
    """(before, now), both `Choices`."""

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._now = read_choices(settings.choices)

    @property
    def now(self) -> Choices:
        """The choices in use."""
        return self._now

    def choose(self, choices: Choices) -> None:
        """Use other choices from now on."""
        if choices == self._now:
            return
        before, self._now = self._now, choices
        self._settings.set_choices(choices.written())
        self.changed.emit(before, choices)
