"""The closed lists of the wire are those of the contract."""

from __future__ import annotations

import json

import attrs
import pytest

from pieces_orm.values import Platform, Score
from pieces_orm.wire import closed_lists

from .contract import FOLDER

SCHEMAS = json.loads((FOLDER / "pieces-openapi.json").read_text("utf-8"))["components"]["schemas"]


def test_the_application_names_are_those_of_the_contract():
    assert set(SCHEMAS["ApplicationNameEnum"]["enum"]) == closed_lists.APPLICATION_NAMES
    assert closed_lists.UNLISTED_APPLICATION in closed_lists.APPLICATION_NAMES


def test_the_reasons_for_a_score_are_those_of_the_contract():
    reasons = set(closed_lists.SCORE_REASONS)
    assert reasons == set(SCHEMAS["SeededScore"]["properties"]) - {"schema"}
    assert reasons == {attribute.name for attribute in attrs.fields(Score)} - {"manual", "automatic"}


@pytest.mark.parametrize(
    ("system", "platform"), [("linux", "LINUX"), ("darwin", "MACOS"), ("win32", "WINDOWS"), ("plan9", "UNKNOWN")]
)
def test_a_platform_is_named_as_the_wire_names_it(monkeypatch, system, platform):
    monkeypatch.setattr("sys.platform", system)
    assert closed_lists.this_platform() is Platform(platform)
    assert platform in SCHEMAS["PlatformEnum"]["enum"]
