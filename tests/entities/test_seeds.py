"""The seeds of kinds: what they refuse, and how they name other materials."""

from __future__ import annotations

import time
from datetime import datetime, timezone

import pytest

from pieces_orm import InvalidValueError
from pieces_orm.entities.declaring import collections_of, ids_of


@pytest.fixture
def new_york(monkeypatch):
    if not hasattr(time, "tzset"):
        pytest.skip("this system cannot change the time zone of a process")
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_ends_of_a_range_without_a_zone_are_local_time(pieces, new_york):
    made = pieces.ranges.create(datetime(2026, 1, 12, 9), datetime(2026, 1, 12, 17, tzinfo=timezone.utc))  # noqa: DTZ001
    assert made.refresh().from_ == datetime(2026, 1, 12, 14, tzinfo=timezone.utc)
    assert made.to == datetime(2026, 1, 12, 17, tzinfo=timezone.utc)


def test_a_person_without_details_is_refused(pieces):
    with pytest.raises(InvalidValueError, match="at least one of name, email"):
        pieces.persons.create()


def test_a_share_without_assets_is_refused(pieces):
    with pytest.raises(InvalidValueError, match="at least one asset"):
        pieces.shares.create()


def test_ids_are_named_by_kind(pieces):
    named = ids_of(pieces.assets.ref("a"), None, pieces.summaries.ref("s"))
    assert named == {"asset": "a", "workstream_summary": "s"}
    assert ids_of(None) == {}


def test_groups_are_named_by_collection(pieces):
    named = collections_of([pieces.tags.ref("a"), pieces.tags.ref("b")], [], [pieces.messages.ref("m")])
    assert named == {
        "tags": {"iterable": [{"id": "a"}, {"id": "b"}]},
        "messages": {"iterable": [{"id": "m"}]},
    }
