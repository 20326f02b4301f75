"""Commands for measuring: the tools, undo and redo, deleting."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from viewer.declaring import Command, needs
from viewer.session import ReadingSession, Tool

__all__ = ["edit_commands", "measure_commands"]


def edit_commands(session: ReadingSession) -> Sequence[Command]:
    notebook = session.measurements

    @needs("a selected measurement")
    def is_selected() -> bool:
        return notebook.selected is not None

    @needs("a change of the measurements")
    def can_undo() -> bool:
        return notebook.can_undo

    @needs("a change that was undone")
    def can_redo() -> bool:
        return notebook.can_redo

    @needs("a measurement on the open series")
    def has_some() -> bool:
        return bool(notebook.measurements)

    def remove() -> None:
        if notebook.selected is not None:
            notebook.remove(notebook.selected.id)

    return (
        Command("undo", "Undo", "Undo the last change of measurements, or of decisions on "
                "lesions", "Edit", notebook.undo, ("Ctrl+Z",), can_undo),
        Command("redo", "Redo", "Do again what was undone", "Edit", notebook.redo,
                ("Ctrl+Shift+Z", "Ctrl+Y"), can_redo),
        Command("measurement-delete", "Delete measurement", "Delete the selected measurement",
                "Edit", remove, ("Del", "Backspace"), is_selected, separated=True),
        Command("measurements-clear", "Delete all measurements", "Delete every measurement of the "
                "open series; Undo brings them back", "Edit", notebook.remove_all, (),
                has_some),
    )  # fmt: skip


def measure_commands(session: ReadingSession) -> Sequence[Command]:
    tools = (
        (Tool.LENGTH, "Length", "Draw a line, in mm", "D"),
        (Tool.BIDIRECTIONAL, "Bidirectional", "Draw the long axis, then click for the short one at "
         "right angles to it", "B"),
        (Tool.ANGLE, "Angle", "Draw one leg, then click the end of the other", "A"),
        (Tool.COBB, "Cobb angle", "Draw two lines; the acute angle between them", "Shift+A"),
        (Tool.RECTANGLE, "Rectangle", "Area, mean, SD, least and greatest value in a rectangle",
         "Q"),
        (Tool.ELLIPSE, "Ellipse", "Area, mean, SD, least and greatest value in an ellipse", "O"),
        (Tool.FREEHAND, "Freehand region", "Draw around it; the outline closes itself", "F"),
        (Tool.PROBE, "Probe", "Click: the stored value of one pixel, in HU where known", "U"),
        (Tool.TEXT, "Text", "Click and write", "T"),
        (Tool.ARROW, "Arrow", "Draw from what is meant; a note may follow", "Shift+T"),
    )  # fmt: skip

    def is_chosen(tool: Tool) -> bool:
        return session.tool is tool

    return tuple(
        Command(f"tool-{tool.value}", text, tip, "Measure", partial(session.set_tool, tool),
                (key,), checked=partial(is_chosen, tool), separated=number in {4, 7})
        for number, (tool, text, tip, key) in enumerate(tools)
    )  # fmt: skip
