"""What a collection refuses, and what it finds: bad arguments are told before any request."""

from __future__ import annotations

import pytest

import pieces_orm
from pieces_orm import InvalidIdError, InvalidValueError, State, UsageError
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
