"""Creation, drafts, contents and languages of assets."""

import base64

import pytest

from pieces_orm import InvalidRequestError
from pieces_orm.values import Language
from pieces_orm.wire.kinds import KINDS
from tests.server.support import ids

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
FUNCTION = "def tide(hour):\n    return 1.5 * hour"


def without_texts(document):
    """Assert that no contents are anywhere in a document."""
    if isinstance(document, dict):
        assert "file" not in document
        if "fragment" in document:
            assert set(document["fragment"]) <= {"metadata"}
        for value in document.values():
            without_texts(value)
    elif isinstance(document, list):
        for value in document:
            without_texts(value)


def test_the_text_comes_back_as_it_was_submitted(shared):
    for text in (FUNCTION, " \n\ttabs\r\nand ends \n", "\u00fc \U0001f30a \u2028 \\ \" '", "x" * 300_000):
        asset = shared.make_asset(text)
        assert asset["original"]["reference"]["fragment"]["string"]["raw"] == text
        assert asset["preview"]["base"]["reference"]["fragment"]["string"]["raw"] == text
        assert asset["formats"]["iterable"][0]["role"] == "BOTH"
        assert asset["formats"]["iterable"][0]["bytes"]["value"] == len(text.encode())
        assert shared.get(f"/asset/{asset['id']}") == asset


def test_every_way_to_send_contents_is_understood(shared):
    raw = FUNCTION.encode()
    for fragment in (
        {"string": {"raw": FUNCTION}},
        {"string": {"base64": base64.b64encode(raw).decode()}},
        {"string": {"base64_url": base64.urlsafe_b64encode(raw).decode()}},
        {"string": {"data_url": "data:text/plain;base64," + base64.b64encode(raw).decode()}},
        {"bytes": {"raw": list(raw)}},
        {"bytes": {"base64": list(base64.b64encode(raw))}},
    ):
        asset = shared.post("/assets/create", shared.asset_seed(fragment))
        assert asset["original"]["reference"]["fragment"]["string"]["raw"] == FUNCTION
        assert asset["original"]["reference"]["classification"]["specific"] == "py"
    seed = shared.asset_seed({})
    seed["asset"]["format"] = {"file": {"bytes": {"raw": list(raw)}, "metadata": {"name": "a.rs"}}}
    asset = shared.post("/assets/create", seed)
    assert (asset["name"], asset["original"]["reference"]["classification"]["specific"]) == ("a.rs", "rs")


@pytest.mark.parametrize(
    ("format", "said"),
    [
        ({}, "exactly one of fragment, file"),
        ({"fragment": {"string": {"raw": "x"}}, "file": {"string": {"raw": "x"}}}, "fragment and file"),
        ({"fragment": {}}, "exactly one of string, bytes"),
        ({"fragment": {"string": {"raw": "x"}, "bytes": {"raw": [1]}}}, "string and bytes"),
        ({"fragment": {"string": {}}}, "exactly one of raw"),
        ({"fragment": {"string": {"raw": 5}}}, "text"),
        ({"fragment": {"bytes": {"raw": [1, 256]}}}, "0 to 255"),
        ({"fragment": {"string": {"base64": "?"}}}, "cannot be decoded"),
        ({"fragment": "x"}, "exactly one"),
    ],
)
def test_contents_that_are_not_one_thing_are_refused(shared, format, said):
    seed = shared.asset_seed({})
    seed["asset"]["format"] = format
    answer = shared.ask("POST", "/assets/create", seed)
    assert answer.status_code == 400
    assert said in answer.text


def test_a_seed_without_application_or_with_wrong_metadata_is_refused(shared):
    seed = shared.asset_seed({"string": {"raw": "x"}})
    for broken in (
        {},
        {"asset": {}},
        {"asset": {**seed["asset"], "application": None}},
        {"asset": {**seed["asset"], "metadata": 5}},
        {"asset": {**seed["asset"], "metadata": {"tags": "x"}}},
        {"asset": {**seed["asset"], "metadata": {"tags": ["x"]}}},
        {"asset": {**seed["asset"], "metadata": {"tags": [{}]}}},
    ):
        assert shared.status("POST", "/assets/create", broken) == 400, broken
    count = len(shared.get("/assets")["iterable"])
    assert shared.status("POST", "/assets/create", shared.asset_seed({"string": {"raw": "x"}}, tags=[{"no": 1}])) == 400
    assert len(shared.get("/assets")["iterable"]) == count, "a refused seed leaves nothing behind"


def test_what_the_metadata_lists_is_created_and_associated(shared):
    asset = shared.make_asset(
        FUNCTION,
        name="heights",
        description="height of the tide",
        tags=[{"text": "a tag"}],
        websites=[{"name": "n", "url": "https://n.example"}],
        persons=[{"type": {"basic": {"name": "Bo"}}}],
        annotations=[{"type": "COMMENT", "text": "note"}],
        anchors=[{"type": "FILE", "fullpath": "/x/y.py"}],
        hints=[{"type": "QGPT_HINT", "text": "why?"}],
        mechanism="AUTOMATIC",
        sensitives=[{"category": "API_KEY", "description": "d", "name": "n", "severity": "LOW", "text": "t"}],
    )
    assert (asset["name"], asset["mechanism"]) == ("heights", "AUTOMATIC")
    assert {one["text"] for one in asset["annotations"]["iterable"]} == {"height of the tide", "note"}
    for name in ("tags", "websites", "persons", "anchors", "hints", "sensitives"):
        assert len(asset[name]["iterable"]) == 1, name
    point = asset["anchors"]["iterable"][0]["points"]["iterable"][0]
    assert point["reference"]["fullpath"] == "/x/y.py"
    again = shared.make_asset(FUNCTION, tags=[{"text": "a tag"}], websites=[{"name": "n", "url": "https://n.example"}])
    assert ids(again["tags"]) == ids(asset["tags"])
    assert ids(again["websites"]) == ids(asset["websites"])


def test_a_name_is_found_in_the_first_line_that_says_something(shared):
    assert shared.make_asset("\n\n  # tide tables\nrest")["name"] == "# tide tables"
    assert len(shared.make_asset("word " * 50)["name"]) == 60
    assert shared.make_asset(" ")["name"] == "Untitled txt"


def test_without_transferables_no_contents_are_anywhere(shared):
    asset = shared.make_asset(FUNCTION)
    for path in (
        f"/assets/{asset['id']}",
        f"/asset/{asset['id']}",
        f"/assets/{asset['id']}/formats",
        "/assets",
        "/formats",
    ):
        without_texts(shared.get(path, params={"transferables": "false"}))
    bare = shared.get(f"/format/{asset['original']['id']}", params={"transferable": "false"})
    assert bare["fragment"] == {"metadata": {"ext": "py"}}
    without_texts(shared.post("/assets/create?transferables=false", shared.asset_seed({"string": {"raw": "x"}})))
    without_texts(shared.post("/messages/create?transferables=false", shared.seed(KINDS["conversation_message"])))


def test_images_are_kept_as_sent(shared):
    for holder in ("fragment", "file"):
        seed = shared.asset_seed({})
        seed["asset"]["format"] = {holder: {"bytes": {"raw": list(PNG)}}}
        asset = shared.post("/assets/create", seed)
        format = asset["original"]["reference"]
        assert format["classification"] == {"generic": "IMAGE", "specific": "png"}
        assert format[holder]["bytes"]["raw"] == list(PNG)
        assert shared.status("POST", "/asset/reclassify", {"ext": "py", "asset": asset}) == 400
        assert shared.status("POST", "/format/update/value", {**format, "fragment": {"string": {"raw": "x"}}}) == 400


def test_new_text_shows_in_original_and_preview_alike(shared):
    asset = shared.make_asset(FUNCTION)
    format = {**asset["original"]["reference"], "fragment": {"string": {"raw": "say something new"}}}
    answer = shared.post("/format/update/value", {**format, "asset": asset["formats"]["iterable"][0]["asset"]})
    assert answer["fragment"] == {"string": {"raw": "say something new"}, "metadata": {"ext": "py"}}
    read = shared.get(f"/assets/{asset['id']}")
    assert read["original"] == read["preview"]["base"]
    assert read["original"]["reference"]["fragment"]["string"]["raw"] == "say something new"
    assert read["original"]["reference"]["bytes"]["value"] == 17
    assert read["updated"]["value"] > asset["updated"]["value"]
    assert shared.status("POST", "/format/update/value", {**format, "id": "nobody"}) == 500


def test_a_language_is_changed_by_reclassify_alone(shared):
    asset = shared.make_asset(FUNCTION)
    changed = shared.post("/asset/reclassify", {"ext": "rs", "asset": asset})
    assert changed["original"]["reference"]["classification"] == {"generic": "CODE", "specific": "rs"}
    assert changed["original"]["reference"]["fragment"]["metadata"]["ext"] == "rs"
    assert shared.status("POST", "/asset/reclassify", {"ext": "klingon", "asset": asset}) == 400
    named = shared.post("/asset/reclassify", {"ext": "JavaScript", "asset": asset})
    assert named["original"]["reference"]["classification"]["specific"] == "js"
    assert shared.status("POST", "/asset/reclassify", {"ext": "py", "asset": {"id": "nobody"}}) == 500


def test_a_language_may_be_called_by_its_name_and_what_is_none_is_refused(pieces):
    assert pieces.assets.create("x", language="python").language == "py"
    assert pieces.assets.create("x", language="C++").language == "cpp"
    with pytest.raises(InvalidRequestError, match="Unknown language 'klingon': give a file extension"):
        pieces.assets.create("x", language=Language("klingon"))
    assert len(pieces.assets.ids()) == 2


def test_a_draft_tells_language_name_tags_and_websites_and_stores_nothing(wire):
    wire.make(KINDS["tag"], text="Tide")
    text = "# tide\nimport math\nfrom x import y  # see https://a.example/b?c=1, and (http://d.example/e).\n"
    draft = wire.post("/assets/draft", wire.asset_seed({"string": {"raw": text}}))["asset"]
    assert draft["format"]["fragment"] == {"string": {"raw": text}, "metadata": {"ext": "py"}}
    assert draft["available"]["iterable"] == [{"generic": "CODE", "specific": "py"}]
    assert draft["metadata"]["name"] == "# tide"
    assert [site["url"] for site in draft["metadata"]["websites"]] == ["https://a.example/b?c=1", "http://d.example/e"]
    assert draft["metadata"]["tags"] == [{"text": "Tide"}]
    assert wire.get("/assets")["iterable"] == wire.get("/websites")["iterable"] == []
    image = wire.asset_seed({"bytes": {"raw": list(PNG)}})
    assert wire.post("/assets/draft", image) == image


def test_pseudo_assets_are_shown_only_when_asked_for(wire):
    plain, pseudo = wire.make_asset("tide plain"), wire.make_asset("tide pseudo", pseudo=True)
    assert ids(wire.get("/assets")) == ids(wire.get("/assets/identifiers")) == [plain["id"]]
    assert (
        ids(wire.get("/assets?pseudo=true"))
        == ids(wire.get("/assets/identifiers?pseudo=true"))
        == [pseudo["id"], plain["id"]]
    )
    assert ids(wire.get("/assets/pseudo")["identifiers"]) == [pseudo["id"]]
    found = [hit["identifier"] for hit in wire.get("/assets/search?query=tide")["iterable"]]
    assert found == [plain["id"]]
    assert len(wire.get("/assets/search?query=tide&pseudo=true")["iterable"]) == 2


def test_related_assets_share_something_and_are_never_the_given_ones(wire):
    one = wire.make_asset("x = 1", tags=[{"text": "tides"}])
    two = wire.make_asset("y = 2", tags=[{"text": "tides"}], websites=[{"name": "n", "url": "https://n.example"}])
    near = wire.make_asset("harbour depth soundings")
    far = wire.make_asset("depth charts of the harbour", websites=[{"name": "n", "url": "https://n.example"}])
    wire.make_asset("nothing in common")
    assert ids(wire.get("/assets/related", body={"iterable": [one]})) == [two["id"]]
    assert ids(wire.get("/assets/related", body={"iterable": [far]})) == [two["id"], near["id"]]
    body = {"assets": {"iterable": []}, "interactions": {"iterable": [{"asset": one["id"], "interactions": {}}]}}
    assert ids(wire.get("/assets/recommended", body=body)) == [two["id"]]
    assert wire.get("/assets/related")["iterable"] == []  # many HTTP clients send no body with a GET


def test_a_tag_on_very_many_assets_does_not_make_each_of_them_large(started):
    from pieces_orm.server import Settings

    wire = started(settings=Settings(nested_members=3))
    made = [wire.make_asset("x", tags=[{"text": "all"}]) for _ in range(5)]
    tag = wire.get(f"/assets/{made[0]['id']}")["tags"]["iterable"][0]
    assert "assets" not in tag, "absent means unknown"
    assert len(wire.read(KINDS["tag"], tag["id"])["assets"]["iterable"]) == 5


def test_a_text_never_becomes_an_image_and_an_image_is_known_by_its_first_bytes(shared):
    asset = shared.make_asset("plain text")
    reference = {"id": asset["id"]}
    assert shared.status("POST", "/asset/reclassify", {"ext": "png", "asset": reference}) == 400
    assert shared.post("/asset/reclassify", {"ext": "md", "asset": reference})["id"] == asset["id"]
    for metadata, name in (({"ext": "png"}, "tides"), ({}, "tides.png"), ({"ext": "jpg"}, "tides of may.gif")):
        seed = shared.asset_seed({"string": {"raw": "plain text"}, "metadata": metadata}, name=name)
        made = shared.post("/assets/create", seed)["original"]["reference"]
        assert made["classification"] == {"generic": "TEXT", "specific": "txt"}
        assert made["fragment"]["metadata"]["ext"] == "txt"
    seed = shared.asset_seed({"bytes": {"raw": list(PNG)}, "metadata": {"ext": "txt"}})
    made = shared.post("/assets/create", seed)
    assert made["original"]["reference"]["classification"] == {"generic": "IMAGE", "specific": "png"}


def test_what_a_format_says_besides_its_contents_is_kept(shared):
    fragment = {"string": {"raw": "x"}, "metadata": {"ext": "py", "of": "mine"}, "beside": 1}
    seed = shared.asset_seed(fragment)
    seed["asset"]["format"]["further"] = {"a": [1]}
    made = shared.post("/assets/create", seed)["original"]["reference"]
    assert made["further"] == {"a": [1]}
    assert made["fragment"]["beside"] == 1
    assert made["fragment"]["metadata"] == {"ext": "py", "of": "mine"}
    made["fragment"]["string"]["raw"] = "y"
    updated = shared.post("/format/update/value", made)
    assert updated["fragment"] == {"string": {"raw": "y"}, "metadata": {"ext": "py", "of": "mine"}, "beside": 1}
    assert updated["further"] == {"a": [1]}


@pytest.mark.parametrize("listed", [5, "abc", [5], {"text": "x"}])
def test_lists_of_a_draft_that_are_none_are_refused(shared, listed):
    seed = shared.asset_seed({"string": {"raw": "tides"}}, tags=listed)
    for path in ("/assets/draft", "/assets/create"):
        assert shared.status("POST", path, seed) == 400
