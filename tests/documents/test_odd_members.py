"""One odd member leaves itself out, with a warning, and not the others; what is no collection is an error."""

from __future__ import annotations

import json
import logging
import time

import pytest
from msgspec import Raw

from pieces_orm import DecodeError
from pieces_orm.collection import search_results
from pieces_orm.documents import answers, page_stream
from pieces_orm.values import Model

GOOD = {"id": "a", "text": "tide"}
ODD = [None, 5, "x", [], {}, {"text": "no id"}, {"id": None}, {"id": 5}]


def warned(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_member_without_an_id_is_left_out_of_all_with_a_warning(recorder, recorded, caplog, odd):
    recorder.answer("GET", "/tags", body={"iterable": [odd, GOOD, {"id": "b", "text": "moon"}]})
    assert [tag.text for tag in recorded.tags.all()] == ["tide", "moon"]
    [warning] = warned(caplog)
    assert "without an id" in warning
    assert "tag" in warning


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("whole", [10, 1_000_000])
def test_a_page_that_is_cut_while_it_arrives_leaves_out_the_same(monkeypatch, odd, whole):
    monkeypatch.setattr(page_stream, "WHOLE", whole)
    data = json.dumps({"iterable": [GOOD, odd, {"id": "b"}], "indices": {"a": None, "b": 1}}).encode()
    read = page_stream.read(iter([data[:20], data[20:]]), "tag")
    assert [id for id, _ in read] == ["a", "b"]


@pytest.mark.parametrize("index", [None, "0", {}, 1.5])
def test_an_index_that_is_no_number_is_ignored_with_a_warning(recorder, recorded, caplog, index):
    recorder.answer(
        "GET", "/tags", body={"iterable": [GOOD, {"id": "b"}, {"id": "c"}], "indices": {"a": index, "c": -1}}
    )
    assert [tag.id for tag in recorded.tags.all()] == ["a", "b"]
    assert "'a'" in warned(caplog)[0]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_relation_keeps_its_other_members(recorder, recorded, caplog, odd):
    members = {"iterable": [odd, {"id": "s"}], "indices": {"s": 0, "u": 1, "n": None}}
    recorder.answer("GET", "/tag/a", body={**GOOD, "assets": members})
    assert recorded.tags.get("a").assets.ids == ("s", "u")
    assert warned(caplog)


def test_nested_copies_are_taken_beside_one_without_an_id(recorder, recorded):
    members = {"iterable": [{"name": "no id"}, None, {"id": "s", "reference": {"id": "s", "name": "one"}}]}
    recorder.answer("GET", "/tag/a", body={**GOOD, "assets": members})
    assert [asset.name for asset in recorded.tags.get("a").assets] == ["one"]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_ids_leaves_out_a_member_without_one(recorder, recorded, caplog, odd):
    recorder.answer("GET", "/tags", body={"iterable": [odd, {"id": "a"}]})
    assert recorded.tags.ids() == ("a",)
    assert answers.listed_ids(json.dumps({"iterable": [odd, {"id": "a"}]}).encode(), "tag") == ("a",)
    assert warned(caplog)


NO_LIST = [b"{}", b'{"error": "out of memory"}', b'{"iterable": null}', b'{"iterable": {}}', b"[]", b"<html>", b"null"]


@pytest.mark.parametrize("answer", NO_LIST)
def test_an_answer_without_a_list_of_members_is_an_error_of_all_and_of_listed_ids(recorder, recorded, answer):
    recorder.answer("GET", "/tags", body=answer)
    with pytest.raises(DecodeError, match="tag"):
        recorded.tags.all()
    with pytest.raises(DecodeError, match="tag"):
        answers.listed_ids(answer, "tag")


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_collection_none_of_whose_members_has_an_id_is_an_error(recorder, recorded, odd):
    recorder.answer("GET", "/tags", body={"iterable": [odd, odd]})
    with pytest.raises(DecodeError, match="No member has an id"):
        recorded.tags.all()
    with pytest.raises(DecodeError, match="No member has an id"):
        answers.listed_ids(json.dumps({"iterable": [odd]}).encode(), "tag")


def test_an_empty_collection_lists_nothing():
    assert answers.listed_ids(b'{"iterable": [], "indices": {}}', "tag") == ()
    assert answers.split(b'{"iterable": []}', "tag") == []


@pytest.mark.parametrize("odd", [None, 5, {}, {"asset": None}, {"asset": {"id": None}, "tag": {"id": "t"}}], ids=repr)
def test_an_association_without_two_ids_is_left_out(caplog, odd):
    rows = {"iterable": [odd, {"asset": {"id": "a"}, "tag": {"id": "t"}}]}
    assert answers.association_rows(json.dumps(rows).encode(), ("asset",), ("tag",)) == ([("a", "t")], 2)
    assert warned(caplog)


def test_a_model_that_cannot_be_read_is_left_out(caplog):
    good = {
        "id": "m", "name": "n", "version": "1", "created": {"value": "2026-01-01T00:00:00Z"}, "type": "SPEED",
        "usage": "x", "cloud": False,
    }  # fmt: skip
    data = json.dumps({"iterable": [{"id": "broken"}, good]}).encode()
    assert [model.id for model in answers.values_of(data, Model, "model")] == ["m"]
    assert "model" in warned(caplog)[0]
    with pytest.raises(DecodeError, match="model"):
        answers.values_of(b'{"iterable": [{"id": "broken"}]}', Model, "model")


def test_the_ids_of_an_association_are_read_as_plain_texts_and_as_objects():
    rows = {"iterable": [{"asset": "a", "tag": "t"}, {"asset": {"id": "b"}, "tag": {"id": "u"}}]}
    assert answers.association_rows(json.dumps(rows).encode(), ("asset",), ("tag",)) == ([("a", "t"), ("b", "u")], 2)


def test_associations_of_which_none_names_a_pair_are_an_error_and_not_none():
    rows = {"iterable": [{"asset": "a", "label": "t"}]}
    with pytest.raises(DecodeError, match="association"):
        answers.association_rows(json.dumps(rows).encode(), ("asset",), ("tag",))


def test_a_collection_of_hardly_any_members_is_not_read_to_its_end(caplog, monkeypatch):
    caplog.set_level(logging.CRITICAL, "pieces_orm")
    monkeypatch.setattr(page_stream, "WHOLE", 100_000)
    good = '{"id": "a"}, ' * 10
    huge = f'{{"iterable": [{good}{"0, " * 1_000_000}0]}}'.encode()
    chunks = [huge[start : start + 1_000_000] for start in range(0, len(huge), 1_000_000)]
    for read in (
        lambda: answers.split(huge, "tag"),
        lambda: answers.listed_ids(huge, "tag"),
        lambda: answers.values_of(huge, Model, "model"),
        lambda: answers.association_rows(huge, ("a",), ("b",)),
        lambda: search_results.matches(huge, "tag"),
        lambda: page_stream.read(iter(chunks), "tag"),
        lambda: answers.nested(Raw(huge)),
    ):
        start = time.monotonic()
        with pytest.raises(DecodeError, match="Hardly any"):
            read()
        assert time.monotonic() - start < 5


def test_a_collection_may_have_many_odd_members_beside_as_many_good_ones(caplog):
    caplog.set_level(logging.CRITICAL, "pieces_orm")
    page = {"iterable": [*({"id": f"{n}"} for n in range(2000)), *[0] * 3000]}
    assert len(answers.split(json.dumps(page).encode(), "tag")) == 2000


def test_a_warning_of_very_many_odd_members_is_short(caplog):
    page = {"iterable": [GOOD], "indices": {f"{n}": "x" * 1000 for n in range(10_000)}}
    assert answers.listed_ids(json.dumps(page).encode(), "tag") == ("a",)
    assert len(caplog.text) < 2000


def test_the_error_of_another_id_than_the_one_asked_for_is_short():
    with pytest.raises(DecodeError, match="was asked for tag a and sent xx") as caught:
        answers.one(json.dumps({"id": "x" * 100_000}).encode(), "tag", "a")
    assert len(str(caught.value)) < 200
