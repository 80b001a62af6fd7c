"""Every kind, through the routes of the tables; `Wire` checks each answer against the published schema."""

import pytest

from pieces_orm.server import Settings
from pieces_orm.wire.associations import ASSOCIATIONS, LINKS
from pieces_orm.wire.kinds import KINDS
from tests.server.support import at, ids

CREATABLE = [kind for kind in KINDS.values() if "create" in kind.routes]
NAMED = {kind.name: {"name": "renamed"} for kind in CREATABLE} | {
    "anchor_point": {"verified": True},
    "annotation": {"text": "low water"},
    "activity": {"rank": 3},
    "conversation_message": {"sentiment": "LIKE"},
    "hint": {"text": "another"},
    "person": {"interactions": 4},
    "range": {"between": True},
    "tag": {"text": "ebb"},
    "workstream_pattern_engine_source": {"readable": "Editor"},
    "workstream_event": {"readable": "copied"},
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_each_kind_is_created_read_and_listed(shared, kind):
    made = shared.make(kind)
    assert shared.read(kind, made["id"]) == made
    assert made["id"] in ids(shared.get(kind.route("all").path))
    if "ids" in kind.routes:
        assert ids(shared.get(kind.route("ids").path))[0] == made["id"]


@pytest.mark.parametrize("kind", CREATABLE, ids=lambda kind: kind.name)
def test_an_update_keeps_id_created_and_relations_and_stores_the_rest(shared, kind):
    made = shared.make(kind)
    body = {**made, **NAMED[kind.name], "unheard": {"of": [1, 2.5, None]}, "created": {"value": "1999-01-01T00:00:00Z"}}
    updated = shared.post(kind.route("update").path, body)
    assert updated["id"] == made["id"]
    assert updated["created"] == made["created"]
    assert updated["unheard"] == {"of": [1, 2.5, None]}
    assert NAMED[kind.name].items() <= updated.items()
    if "updated" in made:
        assert updated["updated"]["value"] > made["updated"]["value"]
    assert shared.read(kind, made["id"]) == updated


@pytest.mark.parametrize("kind", CREATABLE, ids=lambda kind: kind.name)
def test_a_deleted_material_is_gone_everywhere(shared, kind):
    made = shared.make(kind)
    shared.delete(kind, made["id"])
    path = kind.route("read").path.replace(f"{{{kind.parameter}}}", made["id"])
    assert shared.status("GET", path) == kind.missing_status
    assert made["id"] not in ids(shared.get(kind.route("all").path))
    assert (
        shared.status("POST", kind.route("delete").path.replace(f"{{{kind.parameter}}}", made["id"]))
        == kind.missing_status
    )


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_writes_on_unknown_ids_are_500_and_reads_the_kinds_own_status(shared, kind):
    for verb, body in (("update", {"id": "nobody"}), ("score", {kind.score: {"reuse": True}}), ("delete", None)):
        if verb in kind.routes:
            path = kind.route(verb).path.replace(f"{{{kind.parameter}}}", "nobody")
            assert shared.status("POST", path, body) == 500
    assert (
        shared.status("GET", kind.route("read").path.replace(f"{{{kind.parameter}}}", "nobody")) == kind.missing_status
    )


@pytest.mark.parametrize("row", ASSOCIATIONS, ids=lambda row: f"{row.owner.name}-{row.relation}")
def test_an_association_is_seen_from_both_sides_until_it_is_ended(shared, row):
    owner, other = shared.make(row.owner), shared.make(row.other)

    def path(verb):
        template = row.path(verb)
        return template.replace(f"{{{row.owner.parameter}}}", owner["id"]).replace(f"{{{row.parameter}}}", other["id"])

    # A message does not say which conversations are grounded in it.
    seen_back = row.relation != "grounding_messages"
    mirrors = [one for one in ASSOCIATIONS if one.owner is row.other and one.other is row.owner and seen_back]
    shared.post(path("associate"))
    shared.post(path("associate"))
    assert ids(at(shared.read(row.owner, owner["id"]), row.wire)) == [other["id"]]
    for mirror in mirrors:
        assert ids(at(shared.read(row.other, other["id"]), mirror.wire)) == [owner["id"]]
    shared.post(path("disassociate"))
    assert ids(at(shared.read(row.owner, owner["id"]), row.wire)) == []
    for mirror in mirrors:
        assert ids(at(shared.read(row.other, other["id"]), mirror.wire)) == []


def test_there_are_110_associations():
    assert len(ASSOCIATIONS) == 110


def test_conversation_and_message_are_two_relations(shared):
    message = shared.make(KINDS["conversation_message"])
    other = shared.make(KINDS["conversation"])
    shared.post(f"/conversation/{other['id']}/grounding/messages/associate/{message['id']}")
    assert ids(other["messages"]) == []
    grounded = shared.read(KINDS["conversation"], other["id"])
    assert ids(grounded["messages"]) == []
    assert ids(grounded["grounding"]["messages"]) == [message["id"]]
    assert shared.read(KINDS["conversation_message"], message["id"])["conversation"]["id"] != other["id"]


def test_the_body_of_summary_with_summary_says_who_is_the_parent(shared):
    kind = KINDS["workstream_summary"]
    parent, child = shared.make(kind), shared.make(kind)
    path = f"/workstream_summary/{child['id']}/workstream_summaries/associate/{parent['id']}"
    shared.post(path, {"parent": parent["id"], "child": child["id"]})
    assert ids(shared.read(kind, parent["id"])["children"]) == [child["id"]]
    assert ids(shared.read(kind, child["id"])["parents"]) == [parent["id"]]
    assert ids(shared.read(kind, child["id"])["summaries"]) == []
    shared.post(path.replace("/associate/", "/disassociate/"))
    assert ids(shared.read(kind, parent["id"])["children"]) == []


def test_the_older_route_unlinks_and_deletes_nothing(shared):
    anchor, asset = shared.make(KINDS["anchor"]), shared.make_asset()
    shared.post(f"/anchor/{anchor['id']}/assets/associate/{asset['id']}")
    shared.post(f"/anchors/{anchor['id']}/assets/delete/{asset['id']}")
    assert ids(shared.read(KINDS["anchor"], anchor["id"])["assets"]) == []
    assert ids(shared.read(KINDS["asset"], asset["id"])["anchors"]) == []


def test_an_association_with_an_unknown_id_is_an_error_or_nothing_as_chosen(shared, started):
    tag = shared.make(KINDS["tag"])
    assert shared.status("POST", f"/tag/{tag['id']}/assets/associate/nobody") == 500
    lenient = started(settings=Settings(associate_missing="ignore"))
    tag = lenient.make(KINDS["tag"])
    lenient.post(f"/tag/{tag['id']}/assets/associate/nobody")
    assert ids(lenient.read(KINDS["tag"], tag["id"])["assets"]) == []
    assert lenient.make(KINDS["tag"], asset="nobody")["assets"]["iterable"] == []


def test_a_second_delete_is_gone_or_ok_as_chosen(shared, started):
    tag = shared.make(KINDS["tag"])
    shared.delete(KINDS["tag"], tag["id"])
    assert shared.status("POST", f"/tags/{tag['id']}/delete") == 410
    lenient = started(settings=Settings(second_delete="ok"))
    asset = lenient.make_asset()
    for _ in range(2):
        assert lenient.ask("POST", f"/assets/{asset['id']}/delete").text == asset["id"]


def test_fields_an_update_leaves_out_are_kept_or_cleared_as_chosen(shared, started):
    body = {"type": "DESCRIPTION", "text": "old", "favorited": True}
    made = shared.make(KINDS["annotation"], **body)
    assert shared.post("/annotation/update", {"id": made["id"], "text": "new"})["favorited"] is True
    clearing = started(settings=Settings(update_absent="clear"))
    made = clearing.make(KINDS["annotation"], **body)
    updated = clearing.post("/annotation/update", {"id": made["id"], "text": "new"})
    assert "favorited" not in updated
    assert (updated["type"], updated["text"]) == ("DESCRIPTION", "new")


def test_null_in_an_update_clears_a_field_but_not_a_required_one(shared):
    made = shared.make(KINDS["annotation"], favorited=True)
    assert "favorited" not in shared.post("/annotation/update", {"id": made["id"], "favorited": None})
    assert shared.status("POST", "/annotation/update", {"id": made["id"], "text": None}) == 400


def test_relations_are_left_out_of_all_but_creations_when_chosen(started):
    bare = started(settings=Settings(embed_relations=False))
    made = bare.make(KINDS["anchor"])
    assert made["tags"]["iterable"] == []
    read = bare.read(KINDS["anchor"], made["id"])
    assert "tags" not in read
    assert [point["reference"]["fullpath"] for point in read["points"]["iterable"]] == ["/projects/tides/tide.py"]
    asset = bare.make_asset(tags=[{"text": "ebb"}])
    assert asset["tags"]["iterable"][0]["text"] == "ebb"
    assert "tags" not in bare.read(KINDS["asset"], asset["id"])


def test_a_score_counts_each_reason(shared):
    for kind in KINDS.values():
        if "score" in kind.routes:
            made = shared.make(kind)
            path = kind.route("score").path.replace(f"{{{kind.parameter}}}", made["id"])
            shared.post(path, {kind.score: {"reuse": True}})
            shared.post(path, {kind.score: {"reuse": True}})
            score = shared.read(kind, made["id"])["score"]
            assert score["reuse"] == score["manual"] == 2, kind.name
    assert shared.status("POST", path, {kind.score: {}}) == 400


def test_batches_name_what_is_missing(shared):
    for kind in KINDS.values():
        if "batch" in kind.routes:
            one, two = shared.make(kind), shared.make(kind)
            asked = {"iterable": [{"id": two["id"]}, {"id": "nobody"}, {"id": one["id"]}]}
            (key,) = kind.batch_keys
            answer = shared.post(kind.route("batch").path, {key: asked})
            assert ids(answer[key]) == [two["id"], one["id"]]
            assert answer["notFound"] == ["nobody"]
            assert shared.status("POST", kind.route("batch").path, {"wrong": 1}) == 400


def test_tags_and_websites_are_found_by_value(shared):
    tag, site = (
        shared.make(KINDS["tag"], text="spring tide"),
        shared.make(KINDS["website"], url="https://a.example/x?y"),
    )
    assert shared.post("/tags/exists", {"value": "spring tide"}) == {"tag": {"id": tag["id"]}}
    assert shared.post("/websites/exists", {"value": "https://a.example/x?y"}) == {"website": {"id": site["id"]}}
    assert shared.post("/tags/exists", {"value": "neap"}) == {}
    shared.post("/tag/update", {**tag, "text": "neap tide"})
    assert shared.post("/tags/exists", {"value": "spring tide"}) == {}


def test_the_server_finds_names_for_anchors_and_conversations(shared):
    anchor = shared.make(KINDS["anchor"], fullpath="/projects/tide-tables/")
    assert shared.post(f"/anchor/{anchor['id']}/rename")["name"] == "tide-tables"
    conversation = shared.make(KINDS["conversation"])
    assert shared.post(f"/conversation/{conversation['id']}/rename")["name"] == "Conversation"
    message = shared.make(KINDS["conversation_message"])
    renamed = shared.post(f"/conversation/{message['conversation']['id']}/rename")
    assert renamed["name"] == "when is low water?"


def test_the_same_path_is_a_new_anchor_or_the_same_as_chosen(shared, started):
    assert shared.make(KINDS["anchor"])["id"] != shared.make(KINDS["anchor"])["id"]
    same = started(settings=Settings(same_path_anchor="existing"))
    first = same.make(KINDS["anchor"], fullpath="/a/b")
    assert same.make(KINDS["anchor"], fullpath="/a/b/")["id"] == first["id"]
    assert same.make(KINDS["anchor"], fullpath="/a/b", type="DIRECTORY")["id"] != first["id"]


def test_what_cannot_be_without_its_owner_goes_with_it(shared):
    message = shared.make(KINDS["conversation_message"])
    point = shared.make(KINDS["anchor_point"])
    sensitive = shared.make(KINDS["sensitive"])
    asset = shared.read(KINDS["asset"], sensitive["asset"]["id"])
    shared.delete(KINDS["conversation"], message["conversation"]["id"])
    shared.delete(KINDS["anchor"], point["anchor"]["id"])
    shared.delete(KINDS["asset"], asset["id"])
    assert shared.status("GET", f"/message/{message['id']}") == 410
    assert shared.status("GET", f"/anchor_point/{point['id']}") == 410
    assert shared.status("GET", f"/sensitive/{sensitive['id']}") == 500
    assert shared.status("GET", f"/format/{asset['original']['id']}") == 410


def test_a_deleted_neighbour_leaves_every_relation(shared):
    tag = shared.make(KINDS["tag"])
    asset = shared.make_asset(tags=[{"text": tag["text"]}])
    shared.delete(KINDS["tag"], ids(asset["tags"])[0])
    read = shared.read(KINDS["asset"], asset["id"])
    assert ids(read["tags"]) == []
    assert read["updated"]["value"] > asset["updated"]["value"]


def test_seeds_carry_their_relations(shared):
    asset, person = shared.make_asset(), shared.make(KINDS["person"])
    site = shared.make(KINDS["website"], asset=asset["id"], person=person["id"])
    assert (ids(site["assets"]), ids(site["persons"])) == ([asset["id"]], [person["id"]])
    anchor = shared.make(
        KINDS["anchor"],
        asset=asset["id"],
        annotations=[{"type": "COMMENT", "text": "here"}],
        persons={"iterable": [{"id": person["id"]}]},
    )
    note = shared.read(KINDS["annotation"], ids(anchor["annotations"])[0])
    assert note["anchor"] == {"id": anchor["id"]}
    assert (ids(anchor["assets"]), ids(anchor["persons"])) == ([asset["id"]], [person["id"]])
    talk = shared.make(
        KINDS["conversation"],
        messages=[{"role": "USER", "fragment": {"string": {"raw": text}}} for text in ("one", "two", "three")],
    )
    said = [shared.read(KINDS["conversation_message"], id)["fragment"]["string"]["raw"] for id in ids(talk["messages"])]
    assert said == ["one", "two", "three"]
    event = shared.make(KINDS["workstream_event"], summary={"id": shared.make(KINDS["workstream_summary"])["id"]})
    assert len(ids(event["summaries"])) == 1
    span = shared.make(KINDS["range"], conversation={"reference": {"id": talk["id"]}})
    assert ids(shared.read(KINDS["conversation"], talk["id"])["grounding"]["temporal"]["workstreams"]) == [span["id"]]


def test_links_show_on_both_sides(shared):
    for link in LINKS:
        if link.owner.name == "format":
            continue
        member = shared.make(link.member)
        if link.member.name == "activity":
            asset = shared.make_asset()
            member = shared.make(link.member, asset={"id": asset["id"]}, format={"id": asset["original"]["id"]})
            assert ids(shared.read(KINDS["format"], asset["original"]["id"])["activities"]) == [member["id"]]
        owner = member[link.one]["id"]
        assert member["id"] in ids(shared.read(link.owner, owner)[link.many])


@pytest.mark.parametrize(
    "kind", [kind for kind in CREATABLE if kind.name not in {"range", "asset"}], ids=lambda k: k.name
)
def test_a_seed_without_what_it_needs_is_refused_with_its_name(shared, kind):
    for name in shared.seed(kind):
        seed = {key: value for key, value in shared.seed(kind).items() if key != name}
        answer = shared.ask("POST", kind.route("create").path, seed)
        if name not in {"name", "asset"} or kind.name in {"sensitive", "website"}:
            assert answer.status_code == 400 or (kind.name, name) == ("conversation", "name")
            assert name in answer.text
    assert shared.status("POST", kind.route("create").path) == 400


def test_bodies_that_are_not_what_they_should_be_are_refused_with_a_sentence(shared):
    url = shared.server.url + "/tags/create"
    for body in (
        b"{",
        b"[]",
        b"7",
        b'{"text": 5}',
        b'{"text": null}',
        b"\xff\xfe",
        b'{"text": "\\ud800"}',
        b"[" * 100_000,
    ):
        answer = shared.http.post(url, data=body)
        assert answer.status_code == 400, body[:20]
        assert answer.text.endswith(".")
        assert "Traceback" not in answer.text


def test_identifiers_of_events_keep_to_inclusive_alternative_bounds(wire):
    events = [wire.make(KINDS["workstream_event"]) for _ in range(3)]
    path = "/workstream_events/identifiers"
    middle = events[1]["created"]["value"]
    newest_first = [event["id"] for event in reversed(events)]
    assert ids(wire.get(path)) == newest_first
    assert ids(wire.get(path, params={"limit": 2})) == newest_first[:2]
    assert ids(wire.get(path, params={"created_from": middle})) == newest_first[:2]
    assert ids(wire.get(path, params={"created_to": middle})) == newest_first[1:]
    assert ids(wire.get(path, params={"created_from": middle, "created_to": middle})) == [events[1]["id"]]
    assert (
        ids(wire.get(path, params={"created_to": middle, "updated_from": "2099-01-01T00:00:00Z"})) == newest_first[1:]
    )
    assert ids(wire.get(path, params={"created_from": "yesterday, perhaps"})) == newest_first


def test_annotations_are_narrowed_by_type(shared):
    made = shared.make(KINDS["annotation"], type="GIT_COMMIT")
    assert ids(shared.get("/annotations?annotation_type_filter=GIT_COMMIT")) == [made["id"]]


@pytest.mark.parametrize("kind", [k for k in KINDS.values() if "search" in k.routes], ids=lambda kind: kind.name)
def test_kinds_are_searched_by_words(shared, kind):
    made = shared.make(kind)
    text = {"anchor": "name"}.get(kind.name)
    if text:
        shared.post("/anchor/update", {**made, "name": "tide"})
    word = {
        "annotation": "noon",
        "conversation_message": "low water",
        "hint": "neap",
        "person": "ada",
        "sensitive": "abc",
        "workstream_pattern_engine_source": "browser",
        "workstream_summary": "shore",
    }.get(kind.name, "tide")
    found = shared.post(kind.route("search").path, {"engines": {"iterable": [{"query": word}]}})
    assert made["id"] in [hit["identifier"] for hit in found["iterable"]]
    none = {"engines": {"iterable": [{"query": word}, {"query": "zzzz"}], "type": "AND"}}
    assert shared.post(kind.route("search").path, none) == {"iterable": []}
    assert shared.status("POST", kind.route("search").path, {}) == 400


def test_associating_twice_is_one_edge_or_an_error_as_the_settings_say(started):
    for chosen, status in (("ok", 204), ("error", 500)):
        wire = started(settings=Settings(associate_twice=chosen))
        asset, tag = wire.make_asset()["id"], wire.make(KINDS["tag"])["id"]
        path = f"/asset/{asset}/tags/associate/{tag}"
        assert wire.status("POST", path) == 204
        assert wire.status("POST", path) == status
        assert ids(wire.get(f"/asset/{asset}")["tags"]) == [tag]
