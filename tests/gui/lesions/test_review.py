"""Deciding on lesions: one at a time, undoable, kept, and beside the machine's figures."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDoubleSpinBox, QLabel, QLineEdit, QToolButton

from inference.export import lesion_table, report
from inference.findings import Findings, Manifestation
from inference.lesion_review import Decision, Verdict, is_doubtful, reader_totals
from inference.lesions import find_lesions
from tests.gui.handling import words
from tests.gui.lesions.making import WIDE, column, listed
from viewer.panels import LesionsPanel
from viewer.review_keeper import ReviewKeeper
from viewer.session import ReadingSession
from viewer.viewport import SliceView


@pytest.fixture
def keeper(opened: SimpleNamespace, tmp_path: Path) -> ReviewKeeper:
    return ReviewKeeper(opened.session, tmp_path / "reviews")


def test_keys_go_through_the_lesions_in_the_order_of_the_list(
    opened: SimpleNamespace, findings: Findings, shown: Any
) -> None:
    panel = shown(LesionsPanel(opened.session), *WIDE)
    found = listed(opened, findings)
    review = opened.session.review
    order = [int(text) for text in column(panel.table, "#")]
    for number in [*order, order[0]]:
        review.step(1)
        assert review.chosen is found.lesions[number - 1]
        assert opened.session.target == found.lesions[number - 1].voxel
        selected = panel.table.selectionModel().selectedRows()
        assert [int(index.data()) for index in selected] == [number]
    review.step(-1)
    assert review.chosen is found.lesions[order[-1] - 1]


def test_a_rejected_lesion_leaves_the_readers_total_and_stays_in_the_machines(
    opened: SimpleNamespace, findings: Findings, shown: Any, qtbot: Any
) -> None:
    panel = shown(LesionsPanel(opened.session), *WIDE)
    found = listed(opened, findings)
    review = opened.session.review
    ggo = findings.segment(Manifestation.GGO)
    assert ggo is not None
    first, second = (each for each in found.lesions if each.key is Manifestation.GGO)
    review.choose(first.number)
    qtbot.mouseClick(panel.findChild(QToolButton, "lesion-rejected"), Qt.MouseButton.LeftButton)
    review.choose(second.number)
    qtbot.mouseClick(panel.findChild(QToolButton, "lesion-accepted"), Qt.MouseButton.LeftButton)
    assert column(panel.table, "R")[first.number - 1] == "✗"
    assert column(panel.table, "R")[second.number - 1] == "✓"
    (total, *_) = reader_totals(findings, found, review.decisions)
    assert (total.lesions, total.accepted, total.rejected) == (1, 1, 1)
    assert total.volume_ml == pytest.approx(ggo.volume_ml - first.volume_ml)
    assert findings.segment(Manifestation.GGO) is ggo, "the machine's is not changed"
    text = panel.findChild(QLabel, "lesions-totals").text()
    assert f"machine {ggo.volume_ml:.0f} ml" in text
    assert f"reader {total.volume_ml:.0f} ml" in text
    assert "1 accepted, 1 rejected, 0 not decided" in text


def test_not_decided_is_neither(opened: SimpleNamespace, findings: Findings, shown: Any) -> None:
    panel = shown(LesionsPanel(opened.session), *WIDE)
    listed(opened, findings)
    assert set(column(panel.table, "R")) == {""}
    assert not panel.findChild(QLabel, "lesions-totals").isVisible()
    opened.session.review.decide(Verdict.ACCEPTED)
    assert not opened.session.review.decisions, "no lesion is chosen"


def test_a_decision_is_undone_where_measurements_are(
    opened: SimpleNamespace, findings: Findings
) -> None:
    session = opened.session
    listed(opened, findings)
    session.review.choose(1)
    session.review.decide(Verdict.REJECTED)
    session.review.comment(1, " vessel ")
    assert session.review.decision(1) == Decision(Verdict.REJECTED, "vessel")
    session.measurements.undo()
    assert session.review.decision(1) == Decision(Verdict.REJECTED)
    session.measurements.undo()
    assert session.review.decision(1).empty
    session.measurements.redo()
    assert session.review.decision(1).verdict is Verdict.REJECTED
    session.review.decide(Verdict.REJECTED)
    assert session.review.decision(1).verdict is None, "the same again takes it back"


def test_a_comment_is_written_in_the_panel(
    opened: SimpleNamespace, findings: Findings, shown: Any, qtbot: Any
) -> None:
    panel = shown(LesionsPanel(opened.session), *WIDE)
    listed(opened, findings)
    line = panel.findChild(QLineEdit, "lesion-comment")
    assert not line.isEnabled()
    opened.session.review.choose(2)
    qtbot.keyClicks(line, "motion")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert opened.session.review.decision(2).comment == "motion"
    opened.session.review.choose(1)
    assert line.text() == ""


def test_decisions_come_back_with_their_findings_and_with_no_others(
    opened: SimpleNamespace, findings: Findings, keeper: ReviewKeeper, tmp_path: Path
) -> None:
    session = opened.session
    listed(opened, findings)
    session.review.choose(1)
    session.review.decide(Verdict.REJECTED)
    session.review.comment(1, "vessel")
    later = ReadingSession()
    ReviewKeeper(later, tmp_path / "reviews", later)
    later.set_volume(opened.study, opened.series, opened.volume)
    later.set_findings(replace(findings, created="2027-05-05T05:05:05+00:00"))
    assert not later.review.decisions, "another analysis"
    later.set_findings(findings)
    assert later.review.decision(1) == Decision(Verdict.REJECTED, "vessel")
    assert not later.measurements.can_undo, "what comes back is no step"
    (file,) = (tmp_path / "reviews").iterdir()
    assert opened.study.patient_name not in file.name + file.read_text("utf-8")


def test_two_windows_on_the_same_findings_keep_what_both_decide(
    opened: SimpleNamespace, findings: Findings, keeper: ReviewKeeper, tmp_path: Path
) -> None:
    other = ReadingSession()
    told: list[str] = []
    other.message_posted.connect(lambda _kind, sentence: told.append(sentence))
    ReviewKeeper(other, tmp_path / "reviews", other)
    other.set_volume(opened.study, opened.series, opened.volume)
    other.set_findings(findings)
    listed(opened, findings)
    opened.session.review.comment(1, "here")
    other.review.comment(2, "there")
    both = {1: Decision(None, "here"), 2: Decision(None, "there")}
    assert dict(other.review.decisions) == both
    assert "in another window, too" in told[0]
    other.measurements.undo()
    opened.session.review.comment(1, "here again")
    assert dict(opened.session.review.decisions) == {1: Decision(None, "here again")}
    later = ReadingSession()
    ReviewKeeper(later, tmp_path / "reviews", later)
    later.set_volume(opened.study, opened.series, opened.volume)
    later.set_findings(findings)
    assert dict(later.review.decisions) == {1: Decision(None, "here again")}


def test_a_damaged_file_is_set_aside_and_said(
    opened: SimpleNamespace, findings: Findings, keeper: ReviewKeeper, tmp_path: Path
) -> None:
    listed(opened, findings)
    opened.session.review.choose(1)
    opened.session.review.decide(Verdict.ACCEPTED)
    (file,) = (tmp_path / "reviews").iterdir()
    file.write_text('{"format": 3}', "utf-8")
    later = ReadingSession()
    told: list[str] = []
    later.message_posted.connect(lambda _kind, sentence: told.append(sentence))
    ReviewKeeper(later, tmp_path / "reviews", later)
    later.set_volume(opened.study, opened.series, opened.volume)
    later.set_findings(findings)
    assert "damaged" in told[0]
    assert [each.suffix for each in (tmp_path / "reviews").iterdir()] == [".unreadable"]


def test_too_dense_ground_glass_is_folded_away_under_doubtful(
    opened: SimpleNamespace, findings: Findings, shown: Any, qtbot: Any
) -> None:
    panel = shown(LesionsPanel(opened.session), *WIDE)
    found = find_lesions(findings, opened.volume)
    assert found is not None
    dense = tuple(
        replace(each, mean_hu=-100.0 if each.number == 1 else -600.0)
        if each.key is Manifestation.GGO
        else replace(each, mean_hu=20.0)
        for each in found.lesions
    )
    opened.session.set_findings(findings)
    opened.session.lesions.set_listed(findings, replace(found, lesions=dense))
    doubtful = [each.number for each in dense if is_doubtful(each)]
    shown_numbers = [int(text) for text in column(panel.table, "#")]
    assert doubtful
    assert not set(doubtful) & set(shown_numbers)
    button = panel.findChild(QToolButton, "lesions-doubtful")
    assert button.text().startswith(f"Show {len(doubtful)} doubtful")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert set(doubtful) <= {int(text) for text in column(panel.table, "#")}


def test_the_list_is_filtered_by_size_and_says_how_much_is_hidden(
    opened: SimpleNamespace, findings: Findings, shown: Any
) -> None:
    panel = shown(LesionsPanel(opened.session), *WIDE)
    found = listed(opened, findings)
    panel.findChild(QToolButton, "lesions-doubtful").setChecked(True)
    sizes = sorted(each.volume_ml for each in found.lesions)
    panel.findChild(QDoubleSpinBox, "lesion-least-ml").setValue(sizes[0] + 0.01)
    assert len(column(panel.table, "#")) == len(found.lesions) - 1
    assert f"1 of {len(found.lesions)} hidden" in "\n".join(
        button.text() for button in panel.findChildren(QToolButton)
    )


def test_there_is_one_count_and_it_says_what_it_counts(
    opened: SimpleNamespace, findings: Findings, shown: Any
) -> None:
    panel = shown(LesionsPanel(opened.session), *WIDE)
    found = listed(opened, findings)
    assert len(found.lesions) == sum(segment.lesions for segment in findings.segments)
    assert "3 lesions of at least 30 voxels: 2 GGO, 1 consolidation." in words(panel)


def test_a_click_on_a_lesion_in_the_image_selects_its_row(
    opened: SimpleNamespace, findings: Findings, shown: Any, qtbot: Any
) -> None:
    panel = shown(LesionsPanel(opened.session), *WIDE)
    view = shown(SliceView(opened.session), 400, 400)
    found = listed(opened, findings)
    panel.findChild(QToolButton, "lesions-doubtful").setChecked(True)
    lesion = found.lesions[-1]
    column_, row, slice_ = lesion.voxel
    opened.session.set_position(slice_)
    x, y = view._framing.to_view(column_ + 0.5, row + 0.5)
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    assert opened.session.review.chosen is lesion
    selected = panel.table.selectionModel().selectedRows()
    assert [int(index.data()) for index in selected] == [lesion.number]
    before = opened.session.window
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=view.rect().topLeft())
    assert opened.session.review.chosen is lesion, "a click beside every lesion changes nothing"
    assert opened.session.window == before


def test_decisions_go_into_the_files(
    opened: SimpleNamespace, findings: Findings, tmp_path: Path
) -> None:
    listed(opened, findings)
    decisions = {1: Decision(Verdict.REJECTED, "vessel")}
    path = tmp_path / "lesions.csv"
    lesion_table.write_csv(findings, opened.volume, path, decisions=decisions)
    with path.open(encoding="utf-8", newline="") as file:
        first, second, *_ = csv.DictReader(file)
    assert (first["reader_decision"], first["reader_comment"]) == ("rejected", "vessel")
    assert (second["reader_decision"], second["reader_comment"]) == ("", "")
    out = tmp_path / "findings.json"
    report.write_json(
        findings, opened.study, opened.series, opened.volume, out, decisions=decisions
    )
    lesions = json.loads(out.read_text("utf-8"))["lesions"]
    assert lesions["list"][0]["reader"] == {"decision": "rejected", "comment": "vessel"}
    assert lesions["list"][1]["reader"] is None
    assert lesions["reader"][0]["rejected"] == 1
    report.write_json(findings, opened.study, opened.series, opened.volume, out)
    assert json.loads(out.read_text("utf-8"))["lesions"]["reader"] is None
