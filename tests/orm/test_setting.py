"""What can be set is what can be sent; what cannot is refused at once, and nothing is half saved."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta, timezone, tzinfo

import pytest

from pieces_orm import Asset, ConflictError, InvalidValueError, ReadOnlyFieldError, ServerError, Session, Website
from pieces_orm.values import AnnotationType, Mechanism, SensitiveMetadata, Trigger
from tests.support import Requests
from tests.wire.recorder import recording


class Color(str, enum.Enum):
    """An enum of texts, as programs had them before StrEnum."""

    RED = "red"


class Kinds(str, enum.Enum):
    """An enum of texts, some of which are members of one of ours."""

    COMMENT = "COMMENT"


class Text(str):
    """A subclass of str, as of a template engine."""

    __slots__ = ()


class OddZone(tzinfo):
    """A zone days away from UTC."""

    def utcoffset(self, moment):
        return timedelta(days=3)

    def dst(self, moment):
        return None


@pytest.fixture
def website(pieces):
    return pieces.websites.create("https://tides.example", name="tides")


def test_a_field_and_a_relation_cannot_be_deleted(pieces):
    asset = pieces.assets.create("x = 1", name="base")
    for name in ("name", "text", "created", "tags", "original", "id", "_state"):
        with pytest.raises(ReadOnlyFieldError, match=f"{name} cannot be deleted"):
            delattr(asset, name)
    with pytest.raises(AttributeError, match="nmae"):
        del asset.nmae
    assert (asset.name, asset.text, asset.edits, len(asset.tags)) == ("base", "x = 1", {}, 0)


@pytest.mark.parametrize("value", [Color.RED, Text("red")])
def test_a_subclass_of_str_is_stored_and_sent_as_plain_text(website, other, value):
    website.name = value
    assert type(website.name) is str
    assert website.edits == {"name": "red"}
    website.save()
    assert other.websites.get(website.id).name == "red"


def test_an_enum_field_takes_the_member_of_an_enum_of_texts_by_value(pieces):
    annotation = pieces.annotations.create("x")
    annotation.type = Kinds.COMMENT
    assert annotation.type is AnnotationType.COMMENT
    with pytest.raises(InvalidValueError, match=r"type takes AnnotationType .*pass .*AnnotationType\('red'\)"):
        annotation.type = Color.RED
    with pytest.raises(InvalidValueError, match="type takes AnnotationType"):
        annotation.type = Mechanism.MANUAL


@pytest.mark.parametrize("cls", [Text, Color])
def test_an_id_may_be_a_subclass_of_str_and_becomes_plain(pieces, website, cls):
    id = Text(website.id) if cls is Text else enum.Enum("Ids", {"ID": website.id}, type=str).ID
    assert pieces.websites.get(id) is pieces.websites.peek(id) is pieces.websites.ref(id) is website
    assert pieces.websites.get_many([id, website.id]) == [website, website]
    assert type(pieces.tags.ref(Text("t")).id) is str


@pytest.mark.parametrize("first", [True, False])
def test_half_a_surrogate_pair_is_refused_when_it_is_set(website, first):
    if not first:
        website.name = "an edit"
    before = website.edits
    with pytest.raises(InvalidValueError, match="surrogate"):
        website.name = "a\ud800"
    assert website.edits == before


@pytest.mark.parametrize(
    "moment",
    [
        datetime.min.replace(tzinfo=timezone(timedelta(hours=5))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
        datetime(2026, 1, 1, tzinfo=OddZone()),
    ],
)
def test_a_moment_that_utc_cannot_say_is_refused_when_it_is_set(pieces, moment):
    range = pieces.ranges.create()
    requests = Requests(pieces)
    with pytest.raises(InvalidValueError, match="to cannot be converted to UTC"):
        range.to = moment
    with pytest.raises(InvalidValueError, match="UTC"):
        pieces.ranges.create(to=moment)
    assert (range.edits, requests.take()) == ({}, [])


def test_a_value_with_something_in_it_that_cannot_be_sent_is_refused_when_it_is_set(pieces):
    event = pieces.workstream_events.create(Trigger(copy=True))
    for odd in (object(), "\ud800"):
        with pytest.raises(InvalidValueError, match="trigger cannot be sent"):
            event.trigger = Trigger(copy=odd)
    assert event.edits == {}


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_have_is_refused_and_not_sent_as_null(pieces, odd):
    asset = pieces.assets.create("x")
    secret = pieces.sensitives.create(asset, "x", name="n", description="d")
    with pytest.raises(InvalidValueError, match="JSON has no"):
        secret.metadata = SensitiveMetadata(entropy=odd)
    with pytest.raises(InvalidValueError, match="JSON has no"):
        pieces.request("POST", "/tags/create", body={"text": odd})
    secret.metadata = SensitiveMetadata(entropy=1.5)
    assert secret.save() == {"metadata"}
    assert secret.refresh().metadata == SensitiveMetadata(entropy=1.5)


def test_what_a_receiver_of_saving_sets_is_sent_with_this_save_and_no_edit_stays(pieces, website, other):
    @pieces.signals.saving.connect_via(Website)
    def stamp(sender, entity, edits):
        entity.name = f"{entity.name} (checked)"
        entity.url = "https://checked.example"

    website.name = "moon"
    requests = Requests(pieces)
    assert website.save() == {"name", "url"}
    assert requests.take() == [f"GET /website/{website.id}", "POST /website/update"]
    assert website.edits == {}
    found = other.websites.get(website.id)
    assert (found.name, found.url) == ("moon (checked)", "https://checked.example")


def test_a_receiver_of_saving_that_reverts_leaves_nothing_to_send(pieces, website):
    @pieces.signals.saving.connect_via(Website)
    def revert(sender, entity, edits):
        entity.revert()

    website.name = "moon"
    requests = Requests(pieces)
    assert website.save() == frozenset()
    assert (website.name, requests.take()) == ("tides", [])


@pytest.mark.parametrize("original", [None, "absent"])
def test_a_text_that_no_format_can_hold_is_refused_before_the_name_is_sent(original):
    body = {"id": "a", "name": "before", "formats": {"iterable": []}, "original": {"id": "f"}}
    format = {"id": "f", "fragment": {"string": {"raw": "x"}}, "classification": {"generic": "TEXT", "specific": "txt"}}
    with recording() as recorder, Session(recorder.url, api_key="x") as session:
        recorder.answer("GET", "/assets/a", body=body)
        recorder.answer("GET", "/format/f", body=format)
        asset = session.assets.get("a")
        asset.name, asset.text = "after", "y"
        fresh = {**body, "original": None} if original is None else {k: v for k, v in body.items() if k != "original"}
        recorder.answer("GET", "/assets/a", body=fresh)
        with pytest.raises(InvalidValueError, match="original format"):
            asset.save(overwrite=True)
        assert [line for line in recorder.lines() if line.startswith("POST")] == []
        assert asset.edits == {"name": "after", "text": "y"}


def test_an_odd_option_of_save_is_refused_before_the_first_request(pieces, website):
    website.name = "moon"
    requests = Requests(pieces)
    for odd in ("yes", 1):
        with pytest.raises(InvalidValueError, match="transferables"):
            website.save(transferables=odd)
    assert (requests.take(), website.edits) == ([], {"name": "moon"})


TAG = {"id": "t", "text": "tides", "category": "UNKNOWN", "created": {"value": "2026-01-01T00:00:00Z"}}


@pytest.fixture
def served():
    with recording() as recorder, Session(recorder.url, api_key="x") as session:

        def serve(**keys):
            body = {**TAG, **keys}
            recorder.answer("GET", "/tag/t", body={name: value for name, value in body.items() if value is not ...})
            recorder.echo("POST", "/tag/update")
            return session.tags.get("t")

        yield serve


@pytest.mark.parametrize("odd", [5, ["x"], {"raw": "x"}, None, ...])
def test_a_field_that_cannot_be_decoded_can_be_set_and_saved(served, odd):
    tag = served(text=odd)
    tag.text = "heights"
    assert (tag.text, tag.edits, tag.category) == ("heights", {"text": "heights"}, "UNKNOWN")
    assert tag.save() == {"text"}
    assert (tag.text, tag.edits) == ("heights", {})


def test_setting_a_field_that_cannot_be_decoded_conflicts_when_its_slice_changed(served):
    tag = served(text=5)
    tag.text = "heights"
    served(text=6)
    with pytest.raises(ConflictError) as caught:
        tag.save()
    assert (caught.value.base, caught.value.theirs) == ({"text": "5"}, {"text": "6"})
    served(text="theirs")
    with pytest.raises(ConflictError) as caught:
        tag.save()
    assert caught.value.theirs == {"text": "theirs"}
    assert tag.save(overwrite=True) == {"text"}


def test_a_set_field_that_could_not_be_decoded_reverts_to_its_error(served):
    tag = served(text=5)
    tag.text = "heights"
    tag.revert()
    with pytest.raises(ValueError, match="cannot be read"):
        _ = tag.text


def test_a_failed_save_of_text_says_so_before_any_later_part_is_sent(pieces_server, pieces):
    asset = pieces.assets.create("x = 1", description="first")
    asset.text, asset.description = "y = 2", "second"
    pieces_server.faults.answer(500, path="/format/update/value")
    with pytest.raises(ServerError):
        asset.save()
    assert asset.edits == {"text": "y = 2", "description": "second"}
    assert isinstance(asset, Asset)
