"""What the palette finds, and in which order."""

from __future__ import annotations

from viewer.actions import Command
from viewer.matching import best, fit


def command(name: str, text: str, menu: str = "View", tip: str = "") -> Command:
    """Make a command that does nothing."""
    return Command(name, text, tip, menu, lambda: None)


COMMANDS = [
    (command("open-files", "Open files…", "File", "Open images"), ("Ctrl+O",)),
    (command("overlays", "Overlays", "View", "Show or hide every mask"), ("G",)),
    (command("reset", "Reset view", "View", "Fit the picture"), ("Space",)),
    (command("full-screen", "Full screen", "View", "Use the whole screen"), ("F11",)),
    (command("export-seg", "DICOM segmentation…", "Export", "Write the masks"), ()),
]


def found(typed: str, recent: tuple[str, ...] = ()) -> list[str]:
    """Search; give ids."""
    return [each.id for each in best(typed, COMMANDS, recent)]


def test_letters_must_occur_in_order() -> None:
    assert fit("fsc", "Full screen") is not None
    assert fit("csf", "Full screen") is None
    assert fit("", "Full screen") is None


def test_starts_of_words_count_more_than_letters_inside() -> None:
    starts, inside = fit("fs", "Full screen"), fit("fs", "Offsets")
    assert starts is not None
    assert inside is not None
    assert starts > inside


def test_a_run_counts_more_than_scattered_letters() -> None:
    run, scattered = fit("over", "Overlays"), fit("over", "One view every row")
    assert run is not None
    assert scattered is not None
    assert run > scattered


def test_text_keys_menu_and_tip_are_searched() -> None:
    assert found("reset")[0] == "reset"
    assert found("f11")[0] == "full-screen"
    assert "export-seg" in found("export")
    assert found("masks") == ["export-seg"]
    assert found("ofs")[0] == "open-files"
    assert found("qqq") == []


def test_a_tip_is_found_by_its_words_not_by_scattered_letters() -> None:
    assert found("picture") == ["reset"]
    assert "reset" not in found("ftp")


def test_case_and_spaces_do_not_count() -> None:
    assert found("FULL SCREEN")[0] == found("fullscreen")[0] == "full-screen"


def test_nothing_typed_gives_all_those_used_last_first() -> None:
    everything = [each.id for each, _ in COMMANDS]
    assert found("") == found("   ") == everything
    assert found("", ("reset", "overlays"))[:3] == ["reset", "overlays", "open-files"]
    assert sorted(found("", ("gone", "reset"))) == sorted(everything)
