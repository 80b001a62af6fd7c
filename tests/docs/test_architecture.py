"""The page on architecture says what the imports say."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from . import architecture
from .architecture import FIGURES, READING, SAVING
from .drawing import layers
from .pages import DOCS, ROOT
from .rooms import PACKAGE, circles, imports, levels, reduced

PAGE = (DOCS / "architecture.md").read_text("utf-8")
CLIENT, SERVER = PAGE.split("## The server")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", architecture.pictures())
def test_the_pictures_are_up_to_date(name):
    assert (FIGURES / name).read_text("utf-8") == architecture.pictures()[name], "python -m tests.docs.architecture"


@pytest.mark.parametrize(
    ("page", "within"), [(CLIENT, PACKAGE), (SERVER, f"{PACKAGE}.server")], ids=["client", "server"]
)
def test_the_page_says_what_each_room_is_for(page, within):
    folder = ROOT.joinpath(*within.split("."))
    inside = {path.stem for path in folder.iterdir()}
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == inside & imports(within).keys()


def test_the_modules_on_the_way_of_a_document_exist():
    assert [name for name, _ in (*READING, *SAVING) if not (ROOT / PACKAGE / name).is_file()] == []


GRAPH = {"top": {"left", "right", "base"}, "left": {"base"}, "right": {"base"}, "base": set(), "alone": {"base"}}


def test_a_room_stands_above_all_that_it_imports():
    assert levels(GRAPH) == {"top": 2, "left": 1, "right": 1, "alone": 1, "base": 0}
    assert circles(GRAPH) == []


def test_an_arrow_that_a_longer_way_implies_is_left_out():
    assert reduced(GRAPH) == {**GRAPH, "top": {"left", "right"}}


def test_a_circle_is_found_and_stands_on_one_floor():
    graph = {**GRAPH, "base": {"below"}, "below": {"base"}}
    assert circles(graph) == [{"base", "below"}]
    assert levels(graph)["base"] == levels(graph)["below"] == 0
    assert reduced(graph)["base"] == {"below"}


def test_a_picture_has_a_box_for_each_room_and_no_two_overlap():
    picture = ET.fromstring(layers("A picture", imports()))
    boxes = [each.attrib for each in picture.iter(f"{SVG}rect") if "box" in each.get("class")]
    assert len(boxes) == len(imports())
    spans = sorted((int(each["y"]), int(each["x"]), int(each["x"]) + int(each["width"])) for each in boxes)
    assert [pair for pair in pairwise(spans) if pair[0][0] == pair[1][0] and pair[0][2] > pair[1][1]] == []
    assert {each.text for each in picture.iter(f"{SVG}text")} == imports().keys()
