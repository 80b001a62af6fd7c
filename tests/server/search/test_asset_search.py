"""Searching assets by words and tags."""

import pytest


def found(wire, path, **params):
    answer = wire.get(path, params=params)
    assert answer["exact"] == sum(hit["exact"] for hit in answer["iterable"])
    assert answer["suggested"] == len(answer["iterable"]) - answer["exact"]
    assert all(hit["asset"]["id"] == hit["identifier"] for hit in answer["iterable"])
    assert sorted(answer["iterable"], key=lambda hit: (not hit["exact"], -hit["score"])) == answer["iterable"]
    names = {asset["id"]: name for name, asset in wire.assets.items()}
    return {names[hit["identifier"]]: (hit["match"], hit["exact"]) for hit in answer["iterable"]}


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


def test_a_query_of_very_many_words_is_refused(shared):
    query = " ".join(f"w{n}" for n in range(1000))
    assert shared.status("POST", "/assets/search", {"query": query}) == 400


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("hrabour", {"notes"}),
        ("hxarbour", {"notes"}),
        ("harbxxr", {"notes"}),
        ("haxbxxr", set()),
        ("metx", set()),
        ("meat", {"notes"}),
        ("mxat", set()),
    ],
)
def test_a_word_of_six_letters_may_have_two_typos_and_a_shorter_one_has_one(sea, query, names):
    assert set(found(sea, "/assets/search", query=query)) == names


def test_full_text_and_neural_hits_are_ranked_by_their_contents_alone(shared):
    named = shared.make_asset("quahog once in a longer text about something else", name="quahog quahog")
    full = shared.make_asset("quahog quahog", name="plain")
    for path in ("/search/full_text", "/search/neural_code"):
        hits = shared.get(path, params={"query": "quahog"})["iterable"]
        assert [hit["identifier"] for hit in hits] == [full["id"], named["id"]]
