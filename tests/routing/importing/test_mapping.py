"""A mapping says which column means what; its faults are sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.importing.mapping import AreaMapping, MappingFault, Template, mapping_named, ready


def test_a_template_holds_columns_and_words() -> None:
    assert Template("county:{CNTY}").filled({"CNTY": "04013"}) == "county:04013"


def test_an_empty_column_leaves_nothing() -> None:
    assert Template("county:{CNTY}").filled({"CNTY": ""}) == ""


def test_zeros_that_a_spreadsheet_ate_come_back() -> None:
    assert Template("{CNTY:5}").filled({"CNTY": "4013"}) == "04013"


def test_other_braces_stay_as_they_are() -> None:
    assert Template("{}a}{{b}:{c:02}").filled({"b": "1", "c": "2"}) == "{}a}{1:02"


@pytest.mark.parametrize("named", ready())
def test_the_ready_mappings_can_be_used(named: str) -> None:
    mapping = mapping_named(named)
    assert mapping.for_layer(mapping.layer or "custom")
    assert mapping.columns


def test_a_mapping_of_ones_own_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('layer = "campus"\nid = "{code}"\nname = "{title}"\nprecision_m = 10')
    assert mapping_named(str(path)).columns == ("code", "title")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("id = ", "no TOML"),
        ('id = "{a}"', "does not say name"),
        ('id = "{a}"\nname = "{b}"\nnmae = "{c}"', "nmae, which means nothing"),
        ('id = 3\nname = "{b}"', "id in the mapping must be text"),
        ('id = "{a}"\nname = "{b}"\nlatitude = "{c}"', "only one of latitude and longitude"),
        ('id = "{a}"\nname = "{b}"\nlayer = "county"', "must be one of campus"),
        ('id = "{a}"\nname = "{b}"\nonly = ["R"]', "only in the mapping must be a table"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_why(written: str, told: str) -> None:
    with pytest.raises(MappingFault, match=told):
        AreaMapping.from_toml(written)


def test_all_its_faults_are_named_at_once() -> None:
    with pytest.raises(MappingFault) as caught:
        AreaMapping.from_toml("id = 3\nnmae = 4")
    assert len(str(caught.value).splitlines()) == 3


def test_a_file_that_lacks_a_column_is_told_which_it_has() -> None:
    with pytest.raises(MappingFault, match=r"no column id, state\. Its columns are ID, name"):
        mapping_named("generic").check_columns(["ID", "name"])


def test_the_layer_must_be_said_once() -> None:
    with pytest.raises(MappingFault, match="Neither"):
        mapping_named("generic").for_layer("")
    with pytest.raises(MappingFault, match="for the layer school, not for campus"):
        mapping_named("nces-schools").for_layer("campus")


def test_an_unknown_mapping_names_the_ready_ones() -> None:
    with pytest.raises(MappingFault, match="nces-schools"):
        mapping_named("nowhere")
