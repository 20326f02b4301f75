"""highdicom's table of the standard is the same when it is read in parts."""

from __future__ import annotations

import json
import pkgutil

import pytest

from inference.export.highdicom_gently import Table, read_tables


def test_values_are_those_of_json():
    text = ' {"a" : [1, {"b": "}"}],\n "c":{}, "d" :null } '
    table = Table(text)
    assert dict(table) == json.loads(text)
    assert len(table) == 3
    assert "c" in table
    assert "x" not in table
    assert dict(Table("{}")) == {}


@pytest.mark.parametrize("text", ["[]", '{"a" 1}', '{"a": 1 "b": 2}', '{"a": 1', ""])
def test_what_is_no_object_is_refused(text):
    with pytest.raises(ValueError, match=r"\S"):
        Table(text)


def test_highdicom_uses_it():
    from highdicom import _standard_utils

    _standard_utils.get_module_attribute_map.cache_clear()
    read_tables.cache_clear()
    read_tables()
    table = _standard_utils.get_module_attribute_map()
    assert isinstance(table, Table)
    data = pkgutil.get_data("highdicom", "_standard/module_attribute_map.json")
    whole = json.loads(data or b"")
    assert set(table) == set(whole)
    assert table["segmentation-image"] == whole["segmentation-image"]
    assert _standard_utils.json is json
