"""The contents of assets: text, language and description are read and saved like other fields."""

from __future__ import annotations

import re
from base64 import b64decode

import pytest

import pieces_orm
from pieces_orm import DecodeError, InvalidValueError, ServerError
from pieces_orm.documents import decoding
from pieces_orm.documents.document import Document
from pieces_orm.entities.asset_fields import bytes_in
from pieces_orm.server import Server, Settings
from tests.support import Heard, Requests

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(32))


def seen_elsewhere(server, id):
    with pieces_orm.connect(server.url) as session:
        asset = session.assets.get(id)
        return asset.name, asset.text, asset.language, asset.description


def test_one_save_sends_document_text_language_and_description(pieces_server, pieces):
    asset = pieces.assets.create("print('a')\n", name="before", language="py")
    assert (asset.text, asset.language, asset.description) == ("print('a')\n", "py", None)
    asset.name, asset.text, asset.language, asset.description = "after", "let a = 1;\n", "js", "what it is"
    assert asset.save() == {"name", "text", "language", "description"}
    assert asset.edits == {}
    wanted = ("after", "let a = 1;\n", "js", "what it is")
    assert (asset.name, asset.text, asset.language, asset.description) == wanted
    assert seen_elsewhere(pieces_server, asset.id) == wanted


@pytest.mark.parametrize(("first", "second"), [("x", ""), ("", "x"), ("a", "ä€😀\r\n\t\0"), ("x", "x" * 100_000)])
def test_a_text_reads_back_as_it_was_written(pieces_server, pieces, first, second):
    asset = pieces.assets.create(first)
    asset.text = second
    asset.save()
    assert asset.text == second
    assert seen_elsewhere(pieces_server, asset.id)[1] == second


def test_preview_and_original_keep_step_with_the_text(pieces):
    asset = pieces.assets.create("x = 1")
    asset.text = "y = 2"
    asset.save()
    asset.refresh()
    assert asset.original.refresh().text == asset.preview.refresh().text == "y = 2"


def test_a_save_of_document_text_language_and_description_costs_eight_requests(pieces):
    asset = pieces.assets.create("print('a')\n", name="before", language="py", description="first")
    original, [annotation] = asset.original.id, asset.annotations.ids
    asset.name, asset.text, asset.language, asset.description = "after", "let a = 1;\n", "js", "second"
    requests = Requests(pieces)
    asset.save()
    assert requests.take() == [
        f"GET /assets/{asset.id}",
        "POST /asset/update",
        f"GET /format/{original}",
        "POST /format/update/value",
        f"GET /annotation/{annotation}",
        "POST /annotation/update",
        f"GET /assets/{asset.id}",
        "POST /asset/reclassify",
    ]
    assert (asset.name, asset.text, asset.language, asset.description) == ("after", "let a = 1;\n", "js", "second")


def test_a_conflict_in_one_field_sends_none_of_the_others(pieces, other):
    asset = pieces.assets.create("x = 1", name="before")
    asset.name, asset.text = "mine", "y = 2"
    theirs = other.assets.get(asset.id)
    theirs.text = "theirs"
    theirs.save()
    with pytest.raises(pieces_orm.ConflictError) as caught:
        asset.save()
    assert caught.value.mine == {"text": "y = 2"}
    assert asset.edits == {"name": "mine", "text": "y = 2"}
    assert other.assets.get(asset.id).name == "before"


def test_a_description_is_made_changed_and_removed(pieces_server, pieces):
    asset = pieces.assets.create("x = 1", description="first")
    assert asset.description == "first"
    asset.description = "second"
    asset.save()
    assert seen_elsewhere(pieces_server, asset.id)[3] == "second"
    assert len(asset.annotations) == 1
    asset.description = None
    asset.save()
    assert seen_elsewhere(pieces_server, asset.id)[3] is None
    assert len(asset.annotations) == 0


def test_what_was_sent_is_forgotten_and_an_error_keeps_the_rest(pieces_server, pieces):
    asset = pieces.assets.create("x = 1", name="before", language="py")
    asset.name, asset.text, asset.language = "after", "y = 2", "js"
    pieces_server.faults.answer(500, path="/format/update/value")
    with pytest.raises(ServerError):
        asset.save()
    assert asset.edits == {"text": "y = 2", "language": "js"}
    assert seen_elsewhere(pieces_server, asset.id)[:3] == ("after", "x = 1", "py")
    assert asset.save() == {"text", "language"}
    assert seen_elsewhere(pieces_server, asset.id)[:3] == ("after", "y = 2", "js")


def test_a_text_that_changed_elsewhere_is_a_conflict(pieces_server, pieces):
    asset = pieces.assets.create("base")
    with pieces_orm.connect(pieces_server.url) as other:
        theirs = other.assets.get(asset.id)
        theirs.text = "theirs"
        theirs.save()
    asset.text = "mine"
    with pytest.raises(pieces_orm.ConflictError) as caught:
        asset.save()
    assert (caught.value.base, caught.value.theirs) == ({"text": "base"}, {"text": "theirs"})
    assert asset.edits == {"text": "mine"}


def test_a_saved_text_is_told_as_a_local_change(pieces):
    asset = pieces.assets.create("base")
    heard = Heard(pieces)
    asset.text = "mine"
    asset.save()
    [(name, _, id, fields, origin)] = [event for event in heard.take() if event[1] == "Asset"]
    assert (name, id, origin) == ("changed", asset.id, "local")
    assert "text" in fields


def test_an_image_keeps_its_bytes_and_refuses_text_and_language(pieces):
    image = pieces.assets.create(PNG, name="dot.png")
    assert image.is_image
    assert (image.text, image.bytes) == (None, PNG)
    assert pieces.assets.create("ä").bytes == b"\xc3\xa4"
    assert image.raw()["formats"]["iterable"][0]["file"]["bytes"]["raw"] == list(PNG)
    image.name = "renamed.png"
    image.save()
    for field in ("language", "text"):
        with pytest.raises(InvalidValueError, match=f"{field} of .* is an image"):
            setattr(image, field, "py")
    assert image.edits == {}
    assert image.refresh().raw()["formats"]["iterable"][0]["file"]["bytes"]["raw"] == list(PNG)


def test_create_from_file_takes_text_or_bytes_and_the_name(pieces, tmp_path):
    (tmp_path / "tide.py").write_text("def tide():\n    return 1\n")
    (tmp_path / "dot.png").write_bytes(PNG)
    text = pieces.assets.create_from_file(tmp_path / "tide.py", tags=["tides"])
    assert (text.name, text.text, text.language) == ("tide.py", "def tide():\n    return 1\n", "py")
    assert [tag.text for tag in text.tags] == ["tides"]
    assert pieces.assets.create_from_file(tmp_path / "dot.png").is_image


def test_to_markdown_shows_what_people_look_for(pieces):
    asset = pieces.assets.create(
        "print(`1`)", name="tick", language="py", description="Ticks.", tags=["one"], websites=["https://a.example"]
    )
    assert asset.to_markdown() == (
        "# tick\n\nTicks.\n\n```py\nprint(`1`)\n```\n\n#one\n\n- [https://a.example](https://a.example)\n"
    )


def test_to_markdown_shows_an_image_as_a_picture(pieces):
    page = pieces.assets.create(PNG, name="dot.png").to_markdown()
    shown = re.search(r"!\[dot\.png\]\(data:image/png;base64,([^)]+)\)", page)
    assert shown
    assert b64decode(shown[1]) == PNG
    assert "```" not in page


def test_to_markdown_does_not_spell_out_bytes_that_are_no_text(pieces):
    page = pieces.assets.create(bytes(range(256)), name="all.bin").to_markdown()
    assert "(256 bytes of binary data)" in page


@pytest.mark.parametrize(("base", "mine"), [(None, "mine"), ("base", "mine"), ("base", None)])
def test_overwriting_a_description_that_changed_elsewhere_leaves_mine_alone_there(pieces, other, base, mine):
    asset = pieces.assets.create("x", description=base)
    assert asset.description == base
    theirs = other.assets.get(asset.id)
    theirs.description = "theirs"
    theirs.save()
    asset.description = mine
    with pytest.raises(pieces_orm.ConflictError) as caught:
        asset.save()
    assert (caught.value.mine, caught.value.theirs) == ({"description": mine}, {"description": "theirs"})
    assert asset.save(overwrite=True) == {"description"}
    assert asset.description == mine
    assert [each.text for each in other.assets.get(asset.id).annotations] == [mine] * (mine is not None)


def test_a_description_that_was_deleted_elsewhere_can_be_set_over_it(pieces, other):
    asset = pieces.assets.create("x", description="base")
    held = list(asset.annotations)
    theirs = other.assets.get(asset.id)
    theirs.description = None
    theirs.save()
    asset.description = "mine"
    asset.save(overwrite=True)
    assert other.assets.get(asset.id).description == asset.description == "mine"
    assert len(held) == 1


def test_a_description_is_saved_whatever_is_held_of_its_annotation(pieces, other):
    asset = pieces.assets.create("x", description="base")
    [annotation] = [each.refresh() for each in asset.annotations]
    theirs = other.assets.get(asset.id)
    theirs.description = "theirs"
    theirs.save()
    annotation.favorited = True
    asset.refresh()
    asset.description = "mine"
    asset.save()
    assert annotation.edits == {"favorited": True}
    assert annotation.text == "mine"
    assert other.assets.get(asset.id).description == "mine"


def test_a_name_and_a_description_are_saved_together_where_documents_leave_relations_out():
    with Server(settings=Settings(embed_relations=False)) as server:
        with pieces_orm.connect(server.url) as session:
            id = session.assets.create("x = 1", name="a", description="first").id
        with pieces_orm.connect(server.url) as session:
            asset = session.assets.get(id)
            asset.name, asset.description = "b", "second"
            asset.save()
            assert asset.description == "second"
            assert [annotation.text for annotation in session.annotations.all()] == ["second"]
            asset.name, asset.description = "c", None
            asset.save()
            assert session.annotations.all() == []


def test_a_language_is_saved_with_the_whole_document_also_without_contents_in_answers(pieces):
    asset = pieces.assets.create("x = 1", name="a", language="py")
    asset.name, asset.language = "b", "js"
    asset.save(transferables=False)
    assert (asset.name, asset.language, asset.text) == ("b", "js", "x = 1")


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_description_reads_back_as_it_was_set(pieces, other, empty):
    asset = pieces.assets.create("x = 1", description="first")
    asset.description = empty
    asset.save()
    assert asset.description == empty
    assert asset.refresh().description == empty
    assert other.assets.get(asset.id).description == empty
    assert len(asset.annotations) == (0 if empty is None else 1)


def test_an_empty_description_can_be_given_and_be_set_where_there_was_none(pieces, other):
    given, plain = pieces.assets.create("x = 1", description=""), pieces.assets.create("y = 2")
    assert (given.description, plain.description) == ("", None)
    plain.description = ""
    assert plain.save() == {"description"}
    assert [other.assets.get(asset.id).description for asset in (given, plain)] == ["", ""]


@pytest.mark.parametrize("raw", [5, 10**15, "text", {"1": 2}, [256], [-1], [1.5], [None], True], ids=repr)
def test_bytes_that_are_no_list_of_bytes_are_a_decode_error_and_take_no_memory(pieces, raw):
    document = {"original": {"id": "f", "reference": {"file": {"bytes": {"raw": raw}}}}}
    with pytest.raises(DecodeError, match="for asset a bytes cannot be read"):
        bytes_in(Document(decoding.encode(document)), pieces.assets.ref("a"))
