"""Collections as containers: iteration, membership, items and truth; the requests of each."""

from __future__ import annotations

from pathlib import Path

import pytest

import pieces_orm
from pieces_orm import InvalidIdError, InvalidValueError, NotFoundError, SeveralFoundError

NO_ID = "11111111-2222-3333-4444-555555555555"


def test_a_collection_is_iterated_like_all_has_no_length_and_is_always_true(session):
    assert session.hints
    assert not list(session.hints)
    made = [session.hints.create(text) for text in ("one?", "two?")]
    assert sorted(map(id, session.hints)) == sorted(map(id, made))
    assert session.hints.count() == 2
    with pytest.raises(TypeError, match="len"):
        len(session.hints)


def test_membership_asks_the_server_once(session, requests):
    asset = session.assets.create("x = 1")
    requests.take()
    assert asset in session.assets
    assert asset.id in session.assets
    assert requests.take() == [f"GET /assets/{asset.id}"] * 2
    assert NO_ID not in session.assets
    assert requests.take() == [f"GET /assets/{NO_ID}"]
    assert asset not in session.tags
    assert 5 not in session.assets
    assert None not in session.tags
    assert requests.take() == []
    asset.delete()
    assert asset not in session.assets
    with pytest.raises(InvalidIdError):
        _ = "" in session.assets


def test_an_entity_of_another_session_is_in_no_collection_of_this_one(session):
    with pieces_orm.connect(session.url) as other:
        theirs = other.tags.create("theirs")
        assert theirs not in session.tags
        assert theirs.id in session.tags


def test_an_item_is_what_get_returns_and_a_missing_one_is_a_key_error(session):
    asset = session.assets.create("x = 1")
    assert session.assets[asset.id] is asset
    with pytest.raises(KeyError) as caught:
        session.assets[NO_ID]
    assert isinstance(caught.value, NotFoundError)
    assert not str(caught.value).startswith(("'", '"')), "a KeyError would quote its message"
    with pytest.raises(InvalidIdError, match="Pass the entity's id"):
        session.assets[asset]


def test_natural_keys_name_what_a_collection_has(session, requests):
    tag, person = session.tags.create("named"), session.persons.create(name="Ada", email="ada@example.org")
    anchor = session.anchors.create("/projects/named.py")
    requests.take()
    assert "named" in session.tags
    assert requests.take() == ["POST /tags/exists"]
    assert session.tags["named"] is tag
    assert requests.take() == ["POST /tags/exists", f"GET /tag/{tag.id}"]
    assert session.persons["ada@example.org"] is person is session.persons["Ada"]
    assert requests.take() == ["POST /persons/query"] * 2
    assert session.anchors[Path("/projects/../projects/named.py")] is anchor
    assert "nobody" not in session.persons
    assert Path("/projects") not in session.anchors
    with pytest.raises(KeyError, match="None of the tags has the text 'nothing'"):
        session.tags["nothing"]
    with pytest.raises(InvalidValueError, match="not empty"):
        _ = " " in session.tags


@pytest.mark.parametrize(("kind", "value"), [
    ("tags", "found"), ("websites", "https://found.example"), ("anchors", "/found/here"), ("persons", "found@here.org"),
    ("persons", "Found"),
])  # fmt: skip
def test_find_returns_the_one_with_a_natural_key_and_never_creates_it(session, kind, value):
    collection = session[getattr(pieces_orm, {"persons": "Person"}.get(kind, kind[:-1].capitalize()))]
    assert collection.find(value) is None
    assert not collection.exists(value)
    before = collection.count()
    made = collection.get_or_create(value)
    assert collection.find(value) is made is collection.get_or_create(value)
    assert collection.exists(value)
    assert collection.count() == before + 1


def test_a_text_in_the_form_of_an_id_is_found_as_a_key_by_find_only(session):
    tag = session.tags.create(NO_ID)
    assert session.tags.find(NO_ID) is tag is session.tags.get_or_create(NO_ID)
    assert NO_ID not in session.tags, "everywhere else it is an id"
    with pytest.raises(NotFoundError):
        session.tags[NO_ID]


def test_of_two_tags_with_one_text_the_older_is_found_and_of_two_persons_with_one_name_neither(session):
    older = session.tags.create("twice")
    session.tags.create("twice")
    assert session.tags.find("twice") is older
    twins = [session.persons.create(name="Twin"), session.persons.create(name="Twin", email="twin@example.org")]
    for act in (session.persons.find, session.persons.get_or_create, session.persons.__getitem__):
        with pytest.raises(SeveralFoundError, match="2 persons have") as caught:
            act("Twin")
        assert sorted(caught.value.ids) == sorted(twin.id for twin in twins)
    assert session.persons.find("twin@example.org") is twins[1]


def test_several_are_found_or_created_at_once(session, requests):
    before = session.tags.get_or_create("b1")
    requests.take()
    made = session.tags.get_or_create_many(["a1", "b1", {"text": "c1"}, "a1"])
    assert [tag.text for tag in made] == ["a1", "b1", "c1", "a1"]
    assert made[1] is before
    assert made[0] is made[3]
    assert session.tags.get_or_create_many([]) == []
    with pytest.raises(InvalidValueError, match="pass text="):
        session.tags.get_or_create_many([{"category": "x"}])
    person = session.persons.get_or_create_many([{"name": "Grace", "email": "grace@example.org"}, "grace@example.org"])
    assert person[0] is person[1]


def test_what_a_call_deletes_can_be_named_by_ids_and_natural_keys(session, requests):
    first, second, third = (session.tags.create(text) for text in ("d1", "d2", "d3"))
    with pytest.raises(NotFoundError, match="Nothing was changed"):
        session.tags.delete_many([first, "no such tag"])
    assert first in session.tags
    session.tags.delete_many([first, second.id, "d3"])
    assert not {first.id, second.id, third.id} & set(session.tags.ids())
    with pytest.raises(InvalidValueError, match="ids in the form of a UUID"):
        session.assets.delete_many(["my asset"])
