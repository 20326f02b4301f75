"""highdicom's table of the standard is the same when it is read in parts."""

from __future__ import annotations

import json
import pkgutil

import pytest

from inference.export.highdicom_gently import Table, read_tables


def test_values_are_those_of_json():
    whole = {
        "a": [1, {"b": "}", "c": '\n  "no name": '}],
        'a "name"': {"d": {"e": None}},
        "f": [],
        "g": "é",
    }
    table = Table(json.dumps(whole, indent=2))
    assert dict(table) == whole
    assert len(table) == 4
    assert "f" in table
    assert "b" not in table
    assert dict(Table("{}")) == {}


@pytest.mark.parametrize(
    "text", ["[]", '{"a": 1}', '{\n    "a": 1\n}', '{\n  "a" 1\n}', '{\n  "a": 1', ""]
)
def test_what_is_no_object_or_not_indented_is_refused(text):
    with pytest.raises(ValueError, match=r"\S"):
        Table(text)


def test_a_value_that_is_none_is_refused_when_asked_for():
    table = Table('{\n  "a": 1,\n  "b": what\n}')
    assert table["a"] == 1
    with pytest.raises(ValueError, match="Expecting value"):
        table["b"]


@pytest.fixture
def standard():
    """highdicom's own module, that has read nothing."""
    from highdicom import _standard_utils

    _standard_utils.get_module_attribute_map.cache_clear()
    read_tables.cache_clear()
    yield _standard_utils
    _standard_utils.get_module_attribute_map.cache_clear()
    read_tables.cache_clear()


def test_highdicom_uses_it(standard):
    read_tables()
    table = standard.get_module_attribute_map()
    assert isinstance(table, Table)
    data = pkgutil.get_data("highdicom", "_standard/module_attribute_map.json")
    assert dict(table) == json.loads(data or b"")
    assert standard.json is json


def test_a_table_that_is_written_otherwise_is_read_as_ever(standard, monkeypatch):
    monkeypatch.setattr(standard.pkgutil, "get_data", lambda *_: b'{"a": [1]}')
    read_tables()
    assert standard.get_module_attribute_map() == {"a": [1]}
