"""Impossible values are refused before any request, with the possible ones; names mean the same everywhere."""

import pytest

import pieces_orm
from pieces_orm import InvalidValueError, filters
from pieces_orm.server import Server
from pieces_orm.values import AnnotationType, BasicPerson, Language, PersonAccess, PersonType
from tests.support import Requests
from tests.wire.recorder import recording


@pytest.fixture(scope="module")
def session():
    with Server() as server, pieces_orm.connect(server.url) as session:
        yield session


@pytest.fixture(scope="module")
def asset(session):
    return session.assets.create("x = 1", name="one", tags=["t"])


REFUSED = {
    "a language of create": (lambda s, a: s.assets.create("x", language="pyhton"), "did you mean 'python'"),
    "a language of a draft": (lambda s, a: s.assets.draft("x", language="pyhton"), "language takes a language"),
    "a language of create_many": (lambda s, a: s.assets.create_many([{"content": "x", "language": ""}]), "language"),
    "a language that is set": (lambda s, a: setattr(a, "language", "pyhton"), "language takes a language"),
    "a language of a query": (lambda s, a: s.assets.query(language="pyhton"), "did you mean 'python'"),
    "a member in a query": (lambda s, a: s.annotations.query(type=filters.one_of("COMENT")), "did you mean 'COMMENT'"),
    "a url of a query": (lambda s, a: s.assets.query(websites="example"), "takes an address"),
    "a url that is looked up": (lambda s, a: s.websites.exists("example.com"), "did you mean 'https://example.com'"),
    "a tag that is looked up": (lambda s, a: s.tags.find(""), "not empty"),
    "a classification": (lambda s, a: s.assets.search(filters=[filters.classification("pyhton")]), "did you mean"),
    "an empty tag": (lambda s, a: s.tags.create("  "), "text takes a text that is not empty"),
    "an empty tag of an asset": (lambda s, a: s.assets.create("x", tags=[""]), "tags takes a text that is not empty"),
    "an empty text of a tag": (lambda s, a: setattr(s.tags.create("e"), "text", ""), "not empty"),
    "an empty tag in a filter": (lambda s, a: filters.tags("x", ""), "not empty"),
    "a url": (lambda s, a: s.websites.create("example.com"), "did you mean 'https://example.com'"),
    "a url of an asset": (lambda s, a: s.assets.create("x", websites=["example"]), "takes an address"),
    "an empty tag of a search": (lambda s, a: s.assets.search("x", tags=["t", ""]), "not empty"),
    "an empty phrase": (lambda s, a: filters.phrase(" "), "not empty"),
    "a url in a filter": (lambda s, a: filters.websites("example"), "takes an address"),
    "a url of a person": (lambda s, a: s.persons.create(name="Ada", url="ada"), "takes an address"),
    "a url of a source": (lambda s, a: s.sources.create("Firefox", url="tides"), "takes an address"),
    "an empty person": (lambda s, a: s.persons.create(name=""), "not empty"),
    "an empty person of an asset": (lambda s, a: s.assets.create("x", persons=[" "]), "not empty"),
    "no person at all": (lambda s, a: s.persons.create(), "at least one of name"),
    "a type of path": (lambda s, a: s.anchors.create("/x", type="FOLDER"), r"AnchorType \(UNKNOWN, FILE, DIRECTORY\)"),
    "an empty path": (lambda s, a: s.anchors.create(""), "path takes a text that is not empty"),
    "an empty path of a point": (lambda s, a: s.anchor_points.create(s.anchors.create("/x"), ""), "not empty"),
    "a type of annotation": (lambda s, a: s.annotations.create("x", "DESCRIPTON"), "did you mean 'DESCRIPTION'"),
    "a type in a phrase": (lambda s, a: filters.phrase("x", annotation="COMENT"), "did you mean 'COMMENT'"),
    "a member of a field": (lambda s, a: setattr(s.annotations.create("x"), "type", "COMENT"), "AnnotationType"),
    "a member in a value": (lambda s, a: s.persons.create(name="A", access=PersonAccess(scoped="OWNR")), "AccessScope"),
    "a member deep in a value": (
        lambda s, a: setattr(s.persons.create(name="B"), "type", PersonType(basic=BasicPerson(sourced="GITHUB"))),
        "did you mean 'GIT_HUB'",
    ),
    "a missing argument": (lambda s, a: s.tags.create(), "it takes text"),
    "an unknown argument": (lambda s, a: s.tags.create("x", colour="red"), "unexpected keyword argument 'colour'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_before_any_request(session, asset, name):
    act, message = REFUSED[name]
    requests = Requests(session)
    with pytest.raises(InvalidValueError, match=message):
        act(session, asset)
    assert [made for made in requests.take() if "/create" not in made or made.startswith("POST /assets")] == []
    assert asset.edits == {}


def test_python_and_py_are_the_same_language_everywhere(session, asset):
    made = session.assets.create("x = 1", name="snake", language="Python")
    assert (made.language, session.assets.draft("x = 1", language=".py").language) == ("py", "py")
    for name in ("python", "Python", "py", ".py"):
        assert made in session.assets.query(language=name)
        assert made in [hit.asset for hit in session.assets.search(filters=[filters.classification(name)])]
        made.language = name
        assert made.edits == {}
    made.language = "JavaScript"
    assert (made.save(), made.language) == ({"language"}, "js")


def test_a_language_is_found_under_each_of_its_spellings_on_the_embedded_server(session):
    made = [session.assets.create("a: 1", language=each) for each in ("yml", "yaml")]
    for name in ("yml", "YAML"):
        assert {hit.asset for hit in session.assets.search(filters=[filters.classification(name)])} == set(made)
        assert set(session.assets.query(language=name)) == set(made)
        assert not set(session.assets.query(language=filters.is_not(name))) & set(made)
    assert not session.assets.query(language=Language("klingon")).exists()


def test_tags_of_a_filter_are_alternatives(session):
    one, two, both = (session.assets.create("x", tags=tags) for tags in (["aa"], ["bb"], ["aa", "bb"]))
    any_tag = filters.tags("aa", "bb")
    assert {hit.asset for hit in session.assets.search(filters=[any_tag])} == {one, two, both}
    inside = filters.any_of(any_tag, filters.phrase("nowhere"))
    assert {hit.asset for hit in session.assets.search(filters=[inside])} == {one, two, both}
    assert {hit.asset for hit in session.assets.search(filters=[filters.tags("aa"), filters.tags("bb")])} == {both}


def test_what_this_version_does_not_know_is_passed_on_purpose_and_comes_back():
    document = {"id": "a", "original": {"id": "f", "reference": {"id": "f", "classification": {"specific": "klingon"}}}}
    with recording() as recorder, pieces_orm.connect(recorder.url, api_key="x") as session:
        recorder.answer("POST", "/assets/create", body=document)
        made = session.assets.create("x", language=Language("klingon"))
        assert (made.language, type(made.language)) == ("klingon", Language)
        session.assets.create("y", language=made.language)
        sent = [each.json["asset"]["format"]["fragment"]["metadata"] for each in recorder.requests if each.body]
        assert sent == [{"ext": "klingon"}] * 2
        made.language = made.language
        assert made.edits == {}
        recorder.answer("POST", "/annotations/create", body={"id": "n", "text": "x", "type": "HAIKU"})
        note = session.annotations.create("x", AnnotationType("HAIKU"))
        assert (note.type, note.type.known) == ("HAIKU", False)
        session.annotations.create("y", note.type)
        note.type = note.type
        assert note.edits == {}


def test_the_tag_that_was_asked_for_comes_before_those_that_contain_it(session):
    for text in ("python", "py", "py tools", "happy", "PyPI"):
        session.tags.create(text)
    found = session.tags.search("py")
    assert [each.entity.text for each in found][:2] == ["py", "py tools"]
    assert {each.entity.text for each in found[2:]} == {"python", "happy", "PyPI"}
    assert [each.exact for each in found] == [True, False, False, False, False]
    assert [each.exact for each in session.tags.search("PYPI ")] == [True]
