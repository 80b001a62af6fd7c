"""Ages in words."""

from datetime import datetime, timedelta

import pytest

from pieces_orm.server.domain import ages
from pieces_orm.server.storage.timestamps import timestamp

NOW = datetime.fromisoformat("2026-03-01T12:30:00")


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(seconds=-59), "a moment ago"),
        (timedelta(seconds=59), "a moment ago"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=5, seconds=59), "5 minutes ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=5), "5 days ago"),
        (timedelta(days=31), "1 month ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(hours=-2), "2 hours from now"),
    ],
)
def test_an_age_is_told_in_its_largest_whole_unit(before, words):
    assert ages.age(timestamp(NOW - before), NOW) == words


def test_ages_of_the_first_and_last_timestamps_are_told():
    assert ages.age("0001-01-01T00:00:00.000000Z", NOW) == "2026 years ago"
    assert ages.age("9999-12-31T23:59:59.999999Z", NOW).endswith(" years from now")
