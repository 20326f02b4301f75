"""The list of measurements: one a series, undoable, observable."""

from __future__ import annotations

import numpy as np
import pytest

from inference.measurements import Kind
from tests import factories
from viewer.measuring.history import History
from viewer.measuring.notebook import Notebook

LINE = [(0.0, 0.0, 1.0), (3.0, 4.0, 1.0)]


def volume(uid="1.2.3", slices=4):
    array = np.zeros((slices, 16, 16), np.int16)
    return factories.make_volume(array, np.eye(4), series_uid=uid)


@pytest.fixture
def notebook(qapp):
    made = Notebook()
    made.open(volume())
    return made


def test_numbers_go_on_and_are_not_used_again_while_a_later_one_is_there(notebook):
    one = notebook.add(Kind.LENGTH, LINE, 2)
    two = notebook.add(Kind.LENGTH, LINE, 2)
    notebook.remove(one.id)
    assert notebook.add(Kind.PROBE, LINE[:1], 2).number == two.number + 1 == 3


def test_every_change_can_be_undone_and_done_again(notebook):
    made = notebook.add(Kind.LENGTH, LINE, 2)
    notebook.move(made, [(0, 0, 1), (6, 8, 1)])
    notebook.set_text(made.id, "nodule")
    notebook.remove(made.id)
    states = [notebook.measurements]
    while notebook.can_undo:
        notebook.undo()
        states.append(notebook.measurements)
    assert [len(state) for state in states] == [0, 1, 1, 1, 0]
    assert [state[0].text for state in states[1:4]] == ["nodule", "", ""]
    assert states[3] == (made,)
    for state in reversed(states[:-1]):
        notebook.redo()
        assert notebook.measurements == state
    assert not notebook.can_redo


def test_a_new_change_forgets_what_was_undone(notebook):
    notebook.add(Kind.LENGTH, LINE, 2)
    notebook.undo()
    notebook.add(Kind.PROBE, LINE[:1], 2)
    assert not notebook.can_redo


def test_undo_selects_what_it_brought_back_and_asks_for_its_slice(qtbot, notebook):
    made = notebook.add(Kind.LENGTH, LINE, 2)
    notebook.remove_all()
    with qtbot.waitSignal(notebook.place_wanted, check_params_cb=lambda each: each == made):
        notebook.undo()
    assert notebook.selected == made
    with qtbot.assertNotEmitted(notebook.place_wanted):
        notebook.undo()
        notebook.undo()
    assert notebook.selected is None


def test_another_series_has_its_own_list_and_history(notebook):
    made = notebook.add(Kind.LENGTH, LINE, 2)
    notebook.open(volume("1.2.4"))
    assert notebook.measurements == ()
    assert not notebook.can_undo
    notebook.open(volume())
    assert notebook.measurements == (made,)
    assert notebook.can_undo
    notebook.open(volume(slices=5))  # other slices: another grid
    assert notebook.measurements == ()


def test_deleting_the_selected_one_selects_none_and_says_so(qtbot, notebook):
    made = notebook.add(Kind.LENGTH, LINE, 2)
    assert notebook.selected == made
    with qtbot.waitSignals([notebook.changed, notebook.selection_changed]):
        notebook.remove(made.id)
    assert notebook.selected is None


def test_what_changes_nothing_is_no_step(notebook):
    made = notebook.add(Kind.LENGTH, LINE, 2)
    notebook.undo()
    notebook.redo()
    notebook.set_text(made.id, "")
    notebook.remove("unknown")
    notebook.undo()
    assert not notebook.can_undo


def test_values_are_computed_anew_when_pixels_change(notebook):
    probe = notebook.add(Kind.PROBE, LINE[:1], 2)
    assert notebook.values(probe).value == 0
    notebook.volume.array[1, 0, 0] = 7
    notebook.forget_values()
    assert notebook.values(probe).value == 7


def test_the_history_keeps_two_hundred_steps():
    class Count:
        done = 0

        def do(self):
            Count.done += 1

        def undo(self):
            Count.done -= 1

    history = History()
    for _ in range(250):
        history.do(Count())
    while history.undo() is not None:
        pass
    assert Count.done == 50
    assert history.can_redo
