"""Commands for the window level: presets, the file's own windows, percentiles."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from inference.studies.model import Unit, VoiFunction
from viewer.declaring import Command, Doings, needs
from viewer.presets import OWN, PRESETS

if TYPE_CHECKING:
    from inference.studies.model import Window
    from viewer.session import ReadingSession

__all__ = ["preset_commands", "window_commands"]


def window_commands(session: ReadingSession, doings: Doings) -> Sequence[Command]:
    """Declare them."""

    @needs("a file that asks for a window of its own")
    def has_own() -> bool:
        return session.volume is not None and bool(session.volume.windows)

    def next_own() -> None:
        """Go through the windows that the file names, in order."""
        if session.volume is not None and session.volume.windows:
            own = session.volume.windows
            here = next((i for i, window in enumerate(own) if window == session.window), -1)
            session.set_window(own[(here + 1) % len(own)])

    @needs("an open series")
    def is_open() -> bool:
        return session.volume is not None

    @needs("an open CT in Hounsfield units")
    def has_hu() -> bool:
        return session.volume is not None and session.volume.unit is Unit.HU

    def percentiles() -> None:
        session.set_window(session.percentile_window())

    return (
        *preset_commands(session),
        *(
            Command(f"preset-keep-{number}", f"Keep this window as {number}", "Make the window in "
                    f"use the preset of key {number}; the settings give it a name", "Window level",
                    partial(doings.keep_preset, number), (), has_hu,
                    separated=number == OWN[0])
            for number in OWN
        ),
        Command("own-window", "The file's own", "Use the window, or the next one, that the file "
                "asks for", "Window level", next_own, ("0",), has_own, separated=True),
        Command("percentile-window", "1st to 99th percentile", "Use a window from the 1st to the "
                "99th percentile of the values", "Window level", percentiles, (), is_open),
    )  # fmt: skip


def preset_commands(session: ReadingSession) -> Sequence[Command]:
    """Declare the presets as they are now; what they do follows later changes."""
    return tuple(_preset(session, number) for number in range(1, PRESETS + 1))


def _preset(session: ReadingSession, number: int) -> Command:
    def in_use() -> Window | None:
        return session.manner.presets[number - 1]

    def has_hu() -> bool:
        return session.volume is not None and session.volume.unit is Unit.HU

    @needs("an open CT in Hounsfield units")
    def can() -> bool:
        return has_hu()

    @needs("an open CT in Hounsfield units, and a window that was kept here (Keep this window "
           f"as {number}, or Settings, Window presets)")  # fmt: skip
    def can_own() -> bool:
        return has_hu() and in_use() is not None

    def use() -> None:
        preset = in_use()
        if preset is not None:
            session.set_window(preset)

    def is_used() -> bool:
        preset, used = in_use(), session.window
        return has_hu() and preset is not None and _same(used, preset)

    preset = in_use()
    name = preset.name if preset is not None else f"Own {number}"
    return Command(
        f"preset-{number}", name, _tip(preset, number), "Window level", use, (str(number),),
        can_own if number in OWN else can, is_used,
    )  # fmt: skip


def _same(one: Window, other: Window) -> bool:
    return (one.centre, one.width, one.function) == (other.centre, other.width, other.function)


def _tip(preset: Window | None, number: int) -> str:
    if preset is None:
        return f"A window of your own on key {number}; none has been kept yet"
    level = f"{preset.centre:g}".replace("-", "−")
    curve = "" if preset.function is VoiFunction.LINEAR else f", {preset.function.words}"
    return f"{preset.name} window: width {preset.width:g}, level {level} HU{curve}"
