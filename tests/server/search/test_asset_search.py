"""Searching assets."""

import pytest

from pieces_orm.server import Server
from pieces_orm.wire.kinds import KINDS
from tests.server.support import Wire


@pytest.fixture(scope="module")
def sea():
    """A server with five assets, by name."""
    with Server() as server:
        wire = Wire(server)
        wire.assets = {
            "table": wire.make_asset(
                "def height(hour):\n    return hour", name="tide table", tags=[{"text": "tides"}, {"text": "moon"}]
            ),
            "tidal": wire.make_asset("const tidal = (h) => h * 2;", name="script"),
            "notes": wire.make_asset(
                "Meet at the harbour", name="notes", description="about the spring tide", tags=[{"text": "tides"}]
            ),
            "site": wire.make_asset(
                "x", name="link", websites=[{"name": "Almanac", "url": "https://almanac.example/tables"}]
            ),
            "who": wire.make_asset("fn main() {}", name="work", persons=[{"type": {"basic": {"name": "Ada Byron"}}}]),
        }
        yield wire


def found(wire, path, **params):
    answer = wire.get(path, params=params)
    assert answer["exact"] == sum(hit["exact"] for hit in answer["iterable"])
    assert answer["suggested"] == len(answer["iterable"]) - answer["exact"]
    assert all(hit["asset"]["id"] == hit["identifier"] for hit in answer["iterable"])
    assert sorted(answer["iterable"], key=lambda hit: (not hit["exact"], -hit["score"])) == answer["iterable"]
    names = {asset["id"]: name for name, asset in wire.assets.items()}
    return {names[hit["identifier"]]: (hit["match"], hit["exact"]) for hit in answer["iterable"]}


def filtered(wire, *filters, type="AND", **more):
    body = {"filters": {"iterable": list(filters), "type": type}, **more}
    names = {asset["id"]: name for name, asset in wire.assets.items()}
    return {names[hit["identifier"]] for hit in wire.post("/assets/search", body)["results"]["iterable"]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("tide table", {"table": ("TITLE", True)}),
        ("harbour", {"notes": ("CONTENT", True)}),
        ("HARBOUR", {"notes": ("CONTENT", True)}),
        ("moon", {"table": ("TAGS", True)}),
        ("spring", {"notes": ("ANNOTATION", True)}),
        ("almanac", {"site": ("WEBSITES", True)}),
        ("ada", {"who": ("PERSONS", True)}),
        ("harbuor", {"notes": ("FUZZY", False)}),
        ("almanak", {"site": ("FUZZY", False)}),
        ("harb", {"notes": ("CONTENT", True)}),
        ("meet spring", {"notes": ("MULTIPLE", True)}),
        ("=> h *", {"tidal": ("CONTENT", True)}),
        ("=>", {"tidal": ("CONTENT", True)}),
        ("zebra", {}),
        ('" OR x NEAR(', {}),
    ],
)
def test_words_are_found_where_they_are(sea, query, expected):
    assert found(sea, "/assets/search", query=query) == expected


def test_exact_hits_come_before_suggested_ones(sea):
    hits = sea.get("/assets/search", params={"query": "tide"})["iterable"]
    assert [hit["exact"] for hit in hits] == sorted((hit["exact"] for hit in hits), reverse=True)
    assert hits[0]["identifier"] == sea.assets["table"]["id"]


def test_searchable_tags_find_what_has_them_all_exactly_and_what_has_some_as_suggested(sea):
    assert found(sea, "/assets/search", searchable_tags="tides,moon") == {
        "table": ("TAGS", True),
        "notes": ("TAGS", False),
    }
    assert found(sea, "/assets/search", searchable_tags="tides", query="harbour") == {"notes": ("CONTENT", True)}
    assert found(sea, "/assets/search", searchable_tags="nothing") == {}


def test_a_search_for_nothing_is_500(sea):
    assert sea.status("GET", "/assets/search") == 500
    assert sea.status("GET", "/assets/search?query=&searchable_tags=") == 500
    assert sea.status("POST", "/assets/search", {}) == 500
    assert sea.status("GET", "/search/full_text") == 500


def test_full_text_looks_at_contents_only(sea):
    assert found(sea, "/search/full_text", query="harbour meet") == {"notes": ("CONTENT", True)}
    assert found(sea, "/search/full_text", query="almanac") == {}
    assert set(found(sea, "/search/neural_code", query="harbour hour")) == {"notes", "table"}


def test_filters_narrow_and_combine(sea):
    assert filtered(sea, {"classification": "py"}) == {"table"}
    assert filtered(sea, {"tags": ["tides"]}) == {"table", "notes"}
    assert filtered(sea, {"tags": ["tides", "moon"]}) == {"table"}
    assert filtered(sea, {"tags": [sea.assets["table"]["tags"]["iterable"][0]["id"]]}) == {"table", "notes"}
    assert filtered(sea, {"websites": ["https://almanac.example/tables"]}) == {"site"}
    assert filtered(sea, {"persons": ["ada byron"]}) == {"who"}
    assert filtered(sea, {"phrase": {"value": "HOUR", "content": True}}) == {"table"}
    assert filtered(sea, {"phrase": {"value": "HOUR", "content": True}}, casing=True) == set()
    assert filtered(sea, {"phrase": {"value": "tide", "title": True}}) == {"table"}
    assert (
        filtered(sea, {"phrase": {"value": "tide", "annotation": True, "options": {"annotation": "COMMENT"}}}) == set()
    )
    assert filtered(sea, {"phrase": {"value": "tide", "annotation": True}}) == {"notes"}
    assert filtered(sea, {"classification": "py"}, {"classification": "rs"}) == set()
    assert filtered(sea, {"classification": "py"}, {"classification": "rs"}, type="OR") == {"table", "who"}
    nested = {"operations": {"type": "OR", "iterable": [{"classification": "rs"}, {"tags": ["moon"]}]}}
    assert filtered(sea, nested) == {"table", "who"}
    assert filtered(sea, nested, {"persons": ["Ada Byron"]}) == {"who"}
    assert filtered(sea, {"tags": ["tides"]}, query="harbour") == {"notes"}
    space = {"identifers": {"iterable": [{"id": sea.assets["who"]["id"]}]}}
    assert filtered(sea, space=space) == {"who"}
    assert filtered(sea, query="Tide", casing=True) == set()


def test_time_filters_are_inclusive(sea):
    notes = sea.assets["notes"]["created"]
    later = {"table", "tidal"}
    assert filtered(sea, {"created": {"from": notes}}) == set(sea.assets) - later
    assert filtered(sea, {"created": {"to": notes}}) == later | {"notes"}
    assert filtered(sea, {"created": {"between": True, "from": notes, "to": notes}}) == {"notes"}
    assert (
        sea.status("POST", "/assets/search", {"filters": {"iterable": [{"created": {}, "updated": {"from": 5}}]}})
        == 400
    )


def test_the_index_follows_every_change(wire):
    def hits(query):
        return [hit["identifier"] for hit in wire.get("/assets/search", params={"query": query})["iterable"]]

    asset = wire.make_asset("first", name="n")
    id = asset["id"]
    wire.post(
        "/format/update/value",
        {**asset["original"]["reference"], "asset": {"id": id}, "fragment": {"string": {"raw": "second"}}},
    )
    assert (hits("first"), hits("second")) == ([], [id])
    tag = wire.make(KINDS["tag"], text="ebbing")
    wire.post(f"/tag/{tag['id']}/assets/associate/{id}")
    assert hits("ebbing") == [id]
    wire.post("/tag/update", {**tag, "text": "flooding"})
    assert (hits("ebbing"), hits("flooding")) == ([], [id])
    wire.post(f"/asset/{id}/tags/disassociate/{tag['id']}")
    assert hits("flooding") == []
    wire.post("/asset/update", {**asset, "name": "renamed"})
    assert hits("renamed") == [id]
    wire.delete(KINDS["asset"], id)
    assert hits("renamed") == hits("second") == []


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("한국어 문서", "한국어"),
        ("がんばる 日本", "がんばる"),
        ("中文文档说明", "文档"),
        ("Русский йод", "йод"),
        ("हिन्दी भाषा", "हिन्दी"),
        ("ελληνικά λόγος", "λόγος"),
        ("שָׁלוֹם world", "שָׁלוֹם"),
        ("สวัสดีครับ", "สวัสดีครับ"),
        ("ﬁsh market", "ﬁsh"),
        ("café", "cafe"),
        ("x² + y²", "x²"),
    ],
)
def test_words_of_every_script_are_found(shared, text, query):
    asset = shared.make_asset(text, name="n.txt")
    hits = {hit["identifier"]: hit for hit in shared.get("/assets/search", params={"query": query})["iterable"]}
    assert hits[asset["id"]]["exact"] is True


def test_a_word_inside_of_others_is_exact_wherever_it_stands(shared):
    asset = shared.make_asset("at the zugzwangharbour", name="n.txt")
    for query in ("zugzwangharb", "wangharb"):
        [hit] = shared.get("/assets/search", params={"query": query})["iterable"]
        assert (hit["identifier"], hit["exact"]) == (asset["id"], True)


def test_with_casing_all_words_count_wherever_they_stand(shared):
    asset = shared.make_asset("Quokka keeps the Wombat", name="n.txt")
    found = {}
    for query in ("Quokka Wombat", "Wombat quokka"):
        hits = shared.post("/assets/search", {"query": query, "casing": True})["results"]["iterable"]
        found[query] = [hit["identifier"] for hit in hits]
    assert found == {"Quokka Wombat": [asset["id"]], "Wombat quokka": []}


@pytest.mark.parametrize(
    "filters",
    [
        [{}],
        [{"titles": ["zzz"]}],
        [{"tags": []}],
        [{"tags": [5]}],
        [{"operations": "zz"}],
        [{"operations": {"iterable": []}}],
        [{"created": {"from": {"value": "not a time"}, "to": {"value": "2030-01-01T00:00:00Z"}}}],
        [{"created": "today"}],
        [{"phrase": {}}],
        ["zz"],
    ],
)
def test_a_filter_that_says_nothing_is_refused_and_lets_nothing_pass(shared, filters):
    answer = shared.ask("POST", "/assets/search", {"filters": {"iterable": filters}})
    assert (answer.status_code, answer.text.endswith(".")) == (400, True)


def test_filters_within_filters_end_somewhere(shared):
    nested = {"iterable": [{"classification": "py"}]}
    for _ in range(200):
        nested = {"iterable": [{"operations": nested}]}
    assert shared.status("POST", "/assets/search", {"filters": nested}) == 400


def test_a_query_of_very_many_words_is_refused(shared):
    query = " ".join(f"w{n}" for n in range(1000))
    assert shared.status("POST", "/assets/search", {"query": query}) == 400
