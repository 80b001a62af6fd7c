"""Queries by name: what they find, in which order, and what they build and ask for."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import pieces_orm
from pieces_orm import Asset, Tag, filters
from pieces_orm.errors import InvalidValueError, NotFoundError, SeveralFoundError, UsageError
from pieces_orm.orm.identity_map import IdentityMap
from pieces_orm.server import Settings

from ..support import Requests, wait_for

NOW = datetime.now(timezone.utc)


@pytest.fixture(scope="module", params=["with extensions", "without"])
def shared(request):
    """A session with assets, tags, a website, an anchor and a person: nobody changes them."""
    with pieces_orm.embedded(settings=Settings(extensions=request.param == "with extensions")) as session:
        anchor = session.anchors.create("/projects/tides")
        person = session.persons.create(name="Ada", email="ada@example.com")
        website = session.websites.create("https://moon.example/", name="moon")
        for number in range(6):
            session.assets.create(
                f"print({number})", name=f"n{number // 2}", language="py" if number % 2 else "js",
                tags=["tides"] if number < 4 else [], websites=[website] if number == 5 else [],
                persons=[person] if number == 1 else [], anchors=[anchor] if number == 2 else [],
            )  # fmt: skip
        yield session


def names(query):
    return [each.text[-2] for each in query]


def test_conditions_by_field_and_relation_all_hold(shared):
    assert names(shared.assets.query(language="py", tags="tides")) == ["3", "1"]
    assert names(shared.assets.query(websites="https://moon.example/")) == ["5"]
    assert names(shared.assets.query(anchors="/projects/tides")) == ["2"]
    assert names(shared.assets.query(anchors=Path("/projects/../projects/tides"))) == ["2"]
    assert names(shared.assets.query(persons="Ada")) == names(shared.assets.query(persons="ada@example.com")) == ["1"]
    assert names(shared.assets.query(tags=None)) == ["5", "4"]
    assert names(shared.assets.query(tags="ebb")) == []
    tag = shared.tags.query(text="tides").one()
    assert names(shared.assets.query(tags=tag)) == names(shared.assets.query(tags=tag.id)) == ["3", "2", "1", "0"]
    assert names(shared.assets.query(tags=filters.is_not("tides"))) == ["5", "4"]
    assert names(shared.assets.query(tags=filters.one_of("ebb", tag, None))) == ["5", "4", "3", "2", "1", "0"]
    assert names(shared.assets.query(name=filters.any_of(filters.startswith("n2"), "n0"))) == ["5", "4", "1", "0"]
    assert names(shared.assets.query(name=filters.is_not(filters.contains("1")))) == ["5", "4", "1", "0"]
    assert names(shared.assets.query(text=filters.contains("4"))) == ["4"]
    assert names(shared.assets.query(name="n1").where(language="js")) == ["2"]
    assert names(shared.assets.query().where(lambda asset: asset.text == "print(3)")) == ["3"]


def test_times_are_compared_as_moments_and_naive_ones_are_local(shared):
    middle = sorted(each.created for each in shared.assets.query())[3]
    assert names(shared.assets.query(created=filters.after(middle))) == ["5", "4"]
    assert names(shared.assets.query(created=filters.before(middle))) == ["2", "1", "0"]
    assert names(shared.assets.query(created=filters.between(middle, middle))) == ["3"]
    local = middle.astimezone().replace(tzinfo=None)
    assert names(shared.assets.query(created=local)) == ["3"]
    assert names(shared.assets.query(created=middle.astimezone(timezone(timedelta(hours=5))))) == ["3"]


def test_orders_with_several_keys_put_none_last_and_the_newest_first_among_equals(shared):
    assert names(shared.assets.query().order_by("-name", "language")) == ["4", "5", "2", "3", "0", "1"]
    assert names(shared.assets.query().order_by("language")) == ["4", "2", "0", "5", "3", "1"]
    assert names(shared.assets.query().order_by("favorited", "created")) == ["0", "1", "2", "3", "4", "5"]
    assert names(shared.assets.query().order_by("-text")) == ["5", "4", "3", "2", "1", "0"]
    assert shared.assets.query().order_by("-id").ids() == tuple(sorted(shared.assets.ids(), reverse=True))


def test_numbers_of_any_size_are_compared(shared):
    assert shared.tags.query(interactions=filters.before(10**400)).count() == 0
    assert shared.tags.query(interactions=filters.is_not(filters.after(-(10**400)))).count() == 1


def test_limits_and_slices_count_in_order(shared):
    query = shared.assets.query().order_by("created")
    assert names(query.limit(2)) == ["0", "1"]
    assert names(query[2:4]) == ["2", "3"]
    assert names(query[1:][1:3]) == ["2", "3"]
    assert names(query[2:4].limit(5)) == ["2", "3"]
    assert query[4].text == "print(4)"
    assert query[4:].count() == 2
    assert query[6:].ids() == ()
    assert query.limit(0).first() is None
    assert names(query.where(lambda asset: asset.language == "py")[1:3]) == ["3", "5"]
    with pytest.raises(IndexError, match="no place 6"):
        query[6]
    for place in (-1, slice(-1, None), slice(None, -1), slice(0, 4, 2), "0", None):
        with pytest.raises(InvalidValueError, match="from 0 on"):
            query[place]
    for late in (lambda q: q.where(name="x"), lambda q: q.order_by("name")):
        with pytest.raises(InvalidValueError, match="comes before limit"):
            late(query.limit(3))


def test_a_query_stays_as_it_is(shared):
    query = shared.assets.query(language="py")
    query.where(name="n0")
    query.order_by("name")
    query.limit(1)
    assert query.count() == 3


def test_first_one_count_exists_and_ids(shared):
    assets = shared.assets
    assert assets.query(name="n0").count() == 2
    assert assets.query(name="n0").exists() is True
    assert assets.query(name="n9").exists() is False
    assert assets.query(name="n9").first() is None
    assert assets.query(name="n0", language="py").one().text == "print(1)"
    assert assets.query().count() == 6
    assert assets.query()[4:].count() == 2
    assert assets.query().ids() == tuple(each.id for each in assets.query())
    with pytest.raises(NotFoundError, match=r"Nothing matches .*'n9'"):
        assets.query(name="n9").one()
    with pytest.raises(SeveralFoundError, match="There are several") as several:
        assets.query(name="n0").one()
    assert set(several.value.ids) == set(assets.query(name="n0").ids())
    assert isinstance(several.value, LookupError)
    with pytest.raises(UsageError, match="exists"):
        bool(assets.query())


def test_nothing_is_sent_before_it_is_asked_and_a_wrong_condition_never(shared):
    requests = Requests(shared)
    assets = shared.assets
    query = (
        assets.query(language="py", tags="tides").where(lambda asset: True).order_by("name")[1:3].prefetch(Asset.tags)
    )
    assert "tags has 'tides'" in repr(query)
    for wrong, said in (
        ({"nam": "x"}, "Its fields are name, favorited,"),
        ({"nam": "x"}, "Its relations are original, preview,"),
        ({"name": 3}, "name takes str or None, not 3"),
        ({"name": ["a", "b"]}, r"one_of\('a', 'b'\)"),
        ({"tags": ["a"]}, r"one_of\('a'\)"),
        ({"tags": {"a"}}, r"one_of\('a'\)"),
        ({"tags": 3}, "a Tag, an id, its text"),
        ({"tags": ""}, "not empty"),
        ({"formats": "a/b"}, "a/b"),
        ({"created": "2020-01-01"}, r"created takes datetime, .* pass filters\.after\(moment\)"),
        ({"created": None}, "always has a value"),
        ({"created": filters.contains("x")}, "it takes after, before, between"),
        ({"created": filters.after(3)}, "compared with datetimes"),
        ({"created": filters.created(after=NOW)}, "those of search"),
        ({"name": filters.after(NOW)}, "it takes contains, startswith"),
        ({"name": filters.one_of("a", 3)}, "name takes str or None, not 3"),
        ({"tags": filters.contains("a")}, "a Tag, an id, its text"),
        ({"favorited": "yes"}, "favorited takes bool or None"),
    ):
        with pytest.raises(UsageError, match=said):
            assets.query(**wrong)
        with pytest.raises(UsageError, match=said):
            assets.query().where(**wrong)
    for name in ("tags", "score", "nam", "", 3, None, "--name"):
        with pytest.raises(InvalidValueError, match="names of fields"):
            assets.query().order_by(name)
    for n in (-1, "2", 1.5, True, None):
        with pytest.raises(InvalidValueError, match="number"):
            assets.query().limit(n)
    with pytest.raises(InvalidValueError, match="functions of an entity"):
        assets.query().where("name")
    with pytest.raises(InvalidValueError, match="relations of Asset"):
        assets.query().prefetch(Tag.assets)
    for wrong in (lambda: filters.one_of(), lambda: filters.one_of(["a"]), lambda: filters.any_of(),
                  lambda: filters.any_of(filters.tags("a"), "b"), lambda: filters.after("x"),
                  lambda: filters.after(NOW.date()), lambda: filters.between(1, NOW),
                  lambda: filters.contains(3), lambda: filters.after(math.nan),
                  lambda: filters.before(True)):  # fmt: skip
        with pytest.raises(InvalidValueError):
            wrong()
    assert requests.take() == []


def test_no_more_entities_are_made_than_are_returned(shared, monkeypatch):
    made = []
    make = IdentityMap._make

    def counted(entities, cls, *args):
        made.append(cls)
        return make(entities, cls, *args)

    monkeypatch.setattr(IdentityMap, "_make", counted)
    found = list(shared.assets.query(tags="tides").order_by("-created").limit(2))
    assert len(made) == len(found) == 2
    made.clear()
    assert shared.assets.query(language="py").count() == 3
    assert shared.assets.query(language="py").ids()
    assert made == []


def test_prefetched_targets_take_no_request_in_the_loop(shared):
    requests = Requests(shared)
    for asset in shared.assets.query(tags="tides").prefetch(Asset.tags, Tag.assets):
        requests.take()
        assert [tag.text for tag in asset.tags] == ["tides"]
        assert requests.take() == []


def test_edits_do_not_count_before_they_are_saved(shared):
    asset = shared.assets.query(name="n0").first()
    asset.name = "edited"
    assert shared.assets.query(name="edited").first() is None
    assert asset in list(shared.assets.query(name="n0"))
    asset.revert()


def test_latest_is_the_query_for_the_newest(shared):
    assert shared.assets.latest(2) == list(shared.assets.query().order_by("-created").limit(2))
    assert shared.assets.latest(0) == []


def test_a_live_list_takes_the_same_conditions(pieces, other):
    kept = pieces.assets.create("a", name="kept", tags=["tides"])
    with pieces.assets.live(tags="tides", name=filters.startswith("k"), key=lambda asset: asset.name) as live:
        live.wait_live()
        assert list(live) == [kept]
        other.assets.create("b", name="k2", tags=["tides"])
        other.assets.create("c", name="x", tags=["tides"])
        wait_for(lambda: len(live) == 2)
        there = other.assets.query(name="kept").one()
        there.name = "gone"
        there.save()
        wait_for(lambda: [each.name for each in live] == ["k2"])
        kept.name = "k1"
        assert [each.name for each in live] == ["k2"]
        kept.save()
        wait_for(lambda: [each.name for each in live] == ["k1", "k2"])
    with pieces.assets.query(tags="tides").order_by("-name").live() as live:
        live.wait_live()
        assert [each.name for each in live] == ["x", "k2", "k1"]
    with pytest.raises(InvalidValueError, match="slice the list"):
        pieces.assets.query().limit(2).live()
    with pytest.raises(InvalidValueError, match="not by both"):
        pieces.assets.query().order_by("name").live(key=lambda asset: asset.name)


def test_conditions_within_conditions_are_refused_where_nobody_means_them(shared):
    condition = filters.contains("1")
    for _ in range(filters.MAX_LEVELS - 1):
        condition = filters.any_of(filters.is_not("x"), condition)
    assert names(shared.assets.query(name=condition)) == ["5", "4", "3", "2", "1", "0"]
    with pytest.raises(InvalidValueError, match="side by side"):
        filters.is_not(condition)
