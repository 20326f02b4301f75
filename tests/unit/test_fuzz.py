"""The inputs of `tests.fuzz` are what they are said to be, and nothing that they do goes unseen."""

from __future__ import annotations

import re

import pytest

from tests.fuzz.__main__ import main
from tests.fuzz.cases import KINDS, Name, make, write
from tests.fuzz.judge import read_all, wrong_with_sentence
from tests.fuzz.shrink import shrunk
from tests.fuzz.supervisor import Reader

_PLANT = """
import os, time, inference.studies as studies
true = studies.scan
def scan(path, *rest):
    data = path.read_bytes() if path.is_file() else b""
    if b"sizes" in data:
        {act}
    return true(path, *rest)
studies.scan = scan
from tests.fuzz.worker import main
main()
"""


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_number_is_always_the_same_input(kind):
    once = [make(Name(3, kind, number)) for number in range(40)]
    again = [make(Name(3, kind, number)) for number in reversed(range(40))]
    assert once == again[::-1]
    assert len({str(made.case) for made in once}) > 20
    assert make(Name(4, kind, 0)) != once[0]


@pytest.mark.parametrize("kind", list(KINDS))
def test_without_its_changes_an_input_is_sound(kind, tmp_path):
    for number in range(8):
        folder = tmp_path / str(number)
        made = make(Name(5, kind, number), kept=())
        assert set(made.done) <= {"left undone"}
        assert read_all(write(made.case, folder), folder) == "read"


@pytest.mark.parametrize(
    ("act", "kind", "words"),
    [
        ("os.abort()", "death", "SIGABRT"),
        ("os._exit(0)", "death", "exit 0"),
        ("while True: pass", "hang", "in scan"),
        ("raise KeyError('seen')", "unforeseen", "KeyError: 'seen'"),
        ("bytearray(4 << 30)", "memory", "MemoryError"),
        ("os.write(2, b'a library speaks')", "noise", "a library speaks"),
        ("raise studies.reader.BadInputError('KeyError(1)')", "wrong", "does not end"),
        ("raise studies.reader.BadInputError('It is “odd”; copy it again.')", "refused", ""),
    ],
)
def test_what_goes_wrong_is_seen(act, kind, words):
    reader = Reader(1.0, ("-c", _PLANT.format(act=act)))
    try:
        outcome = reader.read_named(Name(1, "nrrd", 0), ())
        assert (outcome.kind, words in outcome.text) == (kind, True), outcome
        # Another process takes the place of one that is gone.
        assert reader.read_named(Name(1, "jpeg", 0), ()).kind == "read"
    finally:
        reader.close()


def test_an_input_is_made_small(tmp_path):
    reader = Reader(10.0, ("-c", _PLANT.format(act="raise KeyError('seen')")))
    try:
        name = next(
            name
            for name in (Name(1, "nrrd", number) for number in range(99))
            if len(made := make(name).done) > 2 and b"sizes" in str(make(name)).encode() and made
        )
        found = reader.read_named(name)
        case = shrunk(name, found, reader, tmp_path / "kept", 60.0)
    finally:
        reader.close()
    assert found.kind == "unforeseen"
    assert b"sizes" in case.files[case.opened]
    assert sum(map(len, case.files.values())) <= 8


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("“a.dcm” is damaged; copy it again.", ""),
        ("None of the 2 files in “x” can be opened: “a.dcm” is cut off; copy it again.", ""),
        ("It holds “KeyError: None”, which cannot be.", ""),
        ("", "is empty"),
        ("“a.dcm” is damaged", "does not end"),
        ("KeyError('Rows').", "speaks to programmers"),
        ("It says array(3).", "speaks to programmers"),
        ("“/ours/a.dcm” is damaged.", "names a folder of ours"),
        ("One. Two. Three. Four.", "is no sentence but many"),
        (f"It is {'very ' * 200}long.", "has 1011 letters"),
        ("It is \x1b[2J.", "has control characters"),
    ],
)
def test_a_sentence_is_one(sentence, wrong, tmp_path):
    assert wrong_with_sentence(sentence, tmp_path if not wrong else "/ours") == wrong


def test_the_command_counts_each_kind(capsys, tmp_path):
    status = main(
        ["--files", "4", "--kind", "meta", "jpeg", "--seed", "2", "--keep", str(tmp_path)]
    )
    said = capsys.readouterr().out
    assert status == 0, said
    assert re.search(r"all +4 +\d", said)
    assert "seed 2: 4 files" in said
    assert "nothing went wrong" in said
