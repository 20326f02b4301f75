"""The table of lesions sorts, and says what is unknown."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt

from inference.lesion_data import Zone
from inference.lesion_review import Decision, Verdict
from tests.gui.lesions.making import (
    CONSOLIDATION,
    TITLES,
    WIDE,
    column,
    lesion,
    show_in,
)
from viewer import theme
from viewer.panels.lesion_table import LesionTable


class TestTable:
    """The table by itself."""

    def test_numbers_sort_as_numbers_and_unknown_ones_come_last(self, shown: Any) -> None:
        table = shown(LesionTable(), *WIDE)
        show_in(table,
            (lesion(1, volume_ml=100.0), lesion(2, volume_ml=9.5), lesion(3, volume_ml=None),
             lesion(4, volume_ml=20.0))
        )  # fmt: skip
        place = TITLES.index("ml")
        table.sortByColumn(place, Qt.SortOrder.AscendingOrder)
        assert column(table, "ml") == ["9.50", "20.00", "100.00", "–"]
        table.sortByColumn(place, Qt.SortOrder.DescendingOrder)
        assert column(table, "ml") == ["100.00", "20.00", "9.50", "–"]

    def test_equal_ones_stay_in_the_order_of_their_numbers(self, shown: Any) -> None:
        table = shown(LesionTable(), *WIDE)
        show_in(table, tuple(lesion(n) for n in range(1, 13)))
        for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
            table.sortByColumn(TITLES.index("Side"), order)
            assert column(table, "#") == [str(n) for n in range(1, 13)]

    def test_words_sort_by_what_they_mean(self, shown: Any) -> None:
        table = shown(LesionTable(), *WIDE)
        show_in(table, tuple(
            lesion(n, zone=zone) for n, zone in enumerate((Zone.LOWER, Zone.UPPER, Zone.MIDDLE), 1)
        ))  # fmt: skip
        table.sortByColumn(TITLES.index("Zone"), Qt.SortOrder.AscendingOrder)
        assert column(table, "Zone") == ["upper", "middle", "lower"]

    def test_a_click_on_a_title_sorts_and_the_title_says_how(self, shown: Any, qtbot: Any) -> None:
        table = shown(LesionTable(), *WIDE)
        show_in(table, (lesion(1, mean_hu=-20.0), lesion(2, mean_hu=-700.0)))
        place = TITLES.index("HU")
        header = table.horizontalHeader()
        at = header.rect().center()
        at.setX(header.sectionViewportPosition(place) + header.sectionSize(place) // 2)
        qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)
        shown = table.model().headerData(place, Qt.Orientation.Horizontal)
        assert shown in ("HU ▴", "HU ▾")
        assert column(table, "HU") == (["−700", "−20"] if "▴" in shown else ["−20", "−700"])
        qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)
        assert table.model().headerData(place, Qt.Orientation.Horizontal) != shown

    def test_figures_stand_on_the_right_and_a_chip_has_the_colour_of_the_mask(
        self, shown: Any
    ) -> None:
        table = shown(LesionTable(), *WIDE)
        show_in(table, (lesion(1, key=CONSOLIDATION),))
        cells = [table.model().index(0, place) for place in range(len(TITLES))]
        right = [c.data(Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight
                 for c in cells]  # fmt: skip
        assert [t for t, r in zip(TITLES, right, strict=True) if r] == [
            "#",
            "ml",
            "∅",
            "HU",
            "Slice",
            "p",
        ]
        icon = cells[TITLES.index("Type")].data(Qt.ItemDataRole.DecorationRole)
        for mode in (icon.Mode.Normal, icon.Mode.Selected):
            image = icon.pixmap(10, 10, mode).toImage()
            assert image.pixelColor(5, 5) == theme.findings_colour(CONSOLIDATION)

    def test_columns_up_to_the_slice_are_seen_at_the_width_of_the_window(self, shown: Any) -> None:
        table = shown(LesionTable(), *WIDE)
        table.resize(332, 300)
        show_in(table, tuple(lesion(n, volume_ml=257.46) for n in range(95, 120)))
        last = TITLES.index("Slice")
        right = table.columnViewportPosition(last) + table.columnWidth(last)
        assert right <= table.viewport().width()

    def test_every_cell_has_room_for_its_text(self, shown: Any) -> None:
        table = shown(LesionTable(), *WIDE)
        show_in(
            table,
            (
                lesion(1, volume_ml=257.46, zone="middle", peripheral_share=0.9),
                lesion(112, volume_ml=1.5, side=None, mean_hu=-1000.0),
                lesion(13, key=CONSOLIDATION, diameter_mm=None),
            ),
        )
        asked = [table.sizeHintForColumn(place) for place in range(len(TITLES))]
        assert min(asked) > 0
        assert all(table.columnWidth(place) >= least for place, least in enumerate(asked[:-1]))
        assert table.columnWidth(TITLES.index("ml")) == asked[TITLES.index("ml")], "and no more"

    def test_only_a_decision_that_is_another_is_told(self, shown: Any) -> None:
        table = shown(LesionTable(), *WIDE)
        show_in(table, tuple(lesion(number) for number in (1, 2, 3)))
        told: list[tuple[int, int]] = []
        source = table.model().sourceModel()
        source.dataChanged.connect(lambda first, last: told.append((first.row(), last.row())))
        table.show_decisions({2: Decision(Verdict.ACCEPTED)})
        table.show_decisions({2: Decision(Verdict.ACCEPTED)})
        assert told == [(1, 1)]
        assert column(table, "R") == ["", "✓", ""]

    def test_unknown_is_said_in_words_in_the_tooltip(self, shown: Any) -> None:
        table = shown(LesionTable(), *WIDE)
        show_in(table, (lesion(1, volume_ml=None, side=None, peripheral_share=None),))
        assert column(table, "Side") == column(table, "Place") == ["–"]
        tip = table.model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
        assert "Volume: not computed" in tip
        assert "Side: not computed" in tip
