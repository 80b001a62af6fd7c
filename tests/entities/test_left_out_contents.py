"""Contents of which an asset's document says nothing are unknown: they are asked for, and never None by mistake."""

from __future__ import annotations

import pytest

from pieces_orm import DecodeError, NotLoadedError, Session
from tests.wire.recorder import recording

FORMAT = {
    "id": "f",
    "classification": {"generic": "CODE", "specific": "py"},
    "fragment": {"string": {"raw": "x = 1"}},
}
IMAGE = {"id": "f", "classification": {"generic": "IMAGE", "specific": "png"}, "file": {"bytes": {"raw": [1, 2, 255]}}}
BARE = {
    "no formats": {"id": "a", "original": {"id": "f"}},
    "a text for the original": {"id": "a", "original": "f"},
    "a reference without a copy": {"id": "a", "original": {"id": "f", "reference": None}, "formats": None},
    "formats without copies": {"id": "a", "original": {"id": "f"}, "formats": {"iterable": [{"id": "f"}]}},
    "another format": {"id": "a", "original": {"id": "f"}, "formats": {"iterable": [{**FORMAT, "id": "g"}]}},
}


@pytest.fixture
def recorder():
    with recording() as recorder:
        recorder.answer("GET", "/format/f", body=FORMAT)
        yield recorder


@pytest.fixture
def session(recorder):
    with Session(recorder.url, api_key="x") as session:
        yield session


@pytest.mark.parametrize("bare", BARE.values(), ids=BARE)
def test_text_language_and_classification_cost_one_read_of_the_format_together(recorder, session, bare):
    recorder.answer("GET", "/assets/a", body=bare)
    asset = session.assets.get("a")
    assert (asset.text, asset.language, asset.classification.specific, asset.bytes) == ("x = 1", "py", "py", b"x = 1")
    assert not asset.is_image
    assert recorder.lines() == ["GET /assets/a", "GET /format/f"]


@pytest.mark.parametrize("bare", BARE.values(), ids=BARE)
def test_the_bytes_of_an_image_are_read_from_its_format(recorder, session, bare):
    recorder.answer("GET", "/assets/a", body=bare)
    recorder.answer("GET", "/format/f", body=IMAGE)
    asset = session.assets.get("a")
    assert (asset.bytes, asset.text, asset.is_image) == (b"\1\2\xff", None, True)


def test_what_is_known_costs_nothing_and_an_image_has_no_text(recorder, session):
    recorder.answer("GET", "/assets/a", body={**BARE["no formats"], "formats": {"iterable": [IMAGE]}})
    asset = session.assets.get("a")
    assert (asset.text, asset.language, asset.bytes) == (None, "png", b"\1\2\xff")
    assert recorder.lines() == ["GET /assets/a"]


def test_without_any_original_format_the_contents_are_an_error_that_says_so(recorder, session):
    recorder.answer("GET", "/assets/a", body={"id": "a", "name": "one"})
    asset = session.assets.get("a")
    for name in ("text", "language", "classification", "bytes"):
        with pytest.raises(DecodeError, match="which is the original format"):
            getattr(asset, name)
    assert asset.name == "one"


def test_the_contents_are_asked_for_again_after_a_newer_document(recorder, session):
    recorder.answer("GET", "/assets/a", body=BARE["no formats"])
    asset = session.assets.get("a")
    assert asset.text == "x = 1"
    recorder.answer("GET", "/format/f", body={**FORMAT, "fragment": {"string": {"raw": "y = 2"}}})
    assert asset.refresh().text == "y = 2"


def test_without_autoload_unknown_contents_are_an_error(recorder):
    recorder.answer("GET", "/assets/a", body=BARE["no formats"])
    with Session(recorder.url, api_key="x", autoload=False) as session:
        asset = session.assets.get("a")
        with pytest.raises(NotLoadedError, match="text"):
            _ = asset.text
    assert recorder.lines() == ["GET /assets/a"]


def test_unknown_contents_can_be_set_and_saved(recorder, session):
    recorder.answer("GET", "/assets/a", body=BARE["no formats"])
    recorder.echo("POST", "/format/update/value")
    asset = session.assets.get("a")
    asset.text = "y = 2"
    assert asset.save() == {"text"}
    assert recorder.sent("POST", "/format/update/value")[0].json["fragment"] == {"string": {"raw": "y = 2"}}
    assert asset.edits == {}


@pytest.mark.parametrize("odd", [[300], "x", {"a": 1}, [None], [-1]], ids=repr)
def test_bytes_that_are_none_are_a_decode_error(recorder, session, odd):
    odd_image = {**IMAGE, "file": {"bytes": {"raw": odd}}}
    recorder.answer("GET", "/assets/a", body={**BARE["no formats"], "formats": {"iterable": [odd_image]}})
    with pytest.raises(DecodeError, match="bytes"):
        _ = session.assets.get("a").bytes
