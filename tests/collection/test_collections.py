"""What a collection refuses, and what it finds: bad arguments are told before any request."""

from __future__ import annotations

from pathlib import Path

import pytest

import pieces_orm
from pieces_orm import (
    Asset,
    InvalidIdError,
    InvalidValueError,
    NotFoundError,
    State,
    UnknownRelationError,
    UsageError,
    filters,
)
from pieces_orm.server import Server, Settings
from tests.support import Requests


@pytest.fixture
def requests(pieces):
    _ = pieces.application
    return Requests(pieces)


def test_delete_many_deletes_nothing_when_one_is_of_another_kind_or_session(pieces_server, pieces, requests):
    tag, asset = pieces.tags.create("kept"), pieces.assets.create("precious")
    with pieces_orm.connect(pieces_server.url) as other:
        theirs = other.tags.create("theirs")
        requests.take()
        with pytest.raises(InvalidValueError, match="takes Tag entities"):
            pieces.tags.delete_many([tag, asset])
        with pytest.raises(InvalidValueError, match="not 5"):
            pieces.tags.delete_many([tag, 5])
        with pytest.raises(UsageError, match="another session"):
            pieces.tags.delete_many([tag, theirs])
        assert requests.take() == []
        pieces.tags.delete_many([tag])
        assert (tag.state, theirs.state, asset.state) == (State.DELETED, State.LOADED, State.LOADED)


def test_common_mistakes_are_told_with_their_remedy(pieces, requests):
    asset = pieces.assets.create("x", name="tide.py", tags=["tide"])
    requests.take()
    with pytest.raises(InvalidValueError, match=r"'tag' to ask for \(did you mean 'tags'\?\)"):
        pieces.assets.query(tag="tide")
    with pytest.raises(InvalidValueError, match=r"did you mean 'created'"):
        pieces.assets.query().order_by(Asset.created)
    with pytest.raises(InvalidValueError, match=r"not '2026-01-01': pass datetime.fromisoformat"):
        filters.after("2026-01-01")
    with pytest.raises(InvalidValueError, match=r"create_from_file\(path\)"):
        pieces.assets.create(Path("tide.py"))
    with pytest.raises(UnknownRelationError, match=r"the text of each\. Unpack several: tags\.add\(\*several\)"):
        asset.tags.add(["coast", "harbour"])
    with pytest.raises(InvalidValueError, match=r"tags\.get_or_create\(\) takes the text"):
        pieces.tags.get_or_create(["coast", "harbour"])
    with pytest.raises(InvalidValueError, match="websites takes an address"):
        pieces.websites.find("example.com")
    assert requests.take() == []


def test_a_name_in_the_place_of_an_id_is_told_what_finds_by_it(pieces):
    pieces.tags.create("tide")
    with pytest.raises(NotFoundError, match=r"session\.tags\.find\('tide'\) finds one by its text") as caught:
        pieces.tags.get("tide")
    assert isinstance(caught.value.__cause__, NotFoundError)
    with pytest.raises(NotFoundError, match=r"session\.assets\.query\(\.\.\.\) finds materials by their fields"):
        pieces.assets["tide.py"]
    with pytest.raises(NotFoundError) as caught:
        pieces.tags.get("00000000-0000-4000-8000-000000000000")
    assert "look like an id" not in str(caught.value)


def test_a_person_shows_its_name(pieces):
    assert "'Ann'" in repr(pieces.persons.create(name="Ann"))


def test_bad_arguments_are_refused_before_any_request(pieces, requests):
    with pytest.raises(InvalidIdError, match="list of ids"):
        pieces.assets.get_many("abc")
    for n in (-1, None, "1"):
        with pytest.raises(ValueError, match="number of materials"):
            pieces.tags.latest(n)
    with pytest.raises(TypeError, match="NoneType"):
        pieces.anchors.exists(None)
    with pytest.raises(TypeError, match="unexpected keyword"):
        pieces.tags.get_or_create("x", nmae=1)
    assert requests.take() == []


def test_get_or_create_takes_no_argument_that_create_does_not_take_also_when_it_finds_one(pieces):
    pieces.tags.create("x")
    with pytest.raises(TypeError, match="unexpected keyword"):
        pieces.tags.get_or_create("x", nmae=1)


@pytest.mark.parametrize("path", ["/nowhere/dir/", "/nowhere/dir", "/nowhere/other/../dir", "/nowhere//dir/."])
def test_an_anchor_is_found_however_its_path_is_written(pieces, path):
    made = pieces.anchors.get_or_create("/nowhere/dir")
    assert pieces.anchors.get_or_create(path) is made
    assert pieces.anchors.exists(path)
    assert len(pieces.anchors.all()) == 1


def test_an_anchor_of_a_relative_path_is_named_by_the_absolute_one(pieces, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert pieces.anchors.create("../x.py").fullpath == str(tmp_path.parent / "x.py")
    assert pieces.anchors.create("C:\\projects\\tide.py").fullpath == "C:\\projects\\tide.py"
    assert pieces.anchors.create("c:tide.py").fullpath == str(tmp_path / "c:tide.py")


@pytest.mark.parametrize("extensions", [True, False])
def test_a_path_of_windows_names_one_anchor_however_it_is_spelled(extensions):
    with Server(settings=Settings(extensions=extensions)) as server, pieces_orm.connect(server.url) as session:
        made = [session.anchors.create("C:\\projects\\tides\\"), session.anchors.create("\\\\nas\\tides\\")]
        assert [each.fullpath for each in made] == ["C:\\projects\\tides", "\\\\nas\\tides"]
        for path in ("C:\\projects\\tides\\", "C:/projects/tides", "C:\\projects\\moon\\..\\tides"):
            assert session.anchors.find(path) is made[0]
            assert session.anchors.get_or_create(path) is made[0]
        assert session.anchors.get_or_create("\\\\nas\\tides\\") is made[1]
