"""The calls of the ORM that use each of the 48 operations, with the query and body that they should send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import field, frozen

from pieces_orm import Asset, Session, filters
from pieces_orm.values import Interaction

from .contract import sample

ASSET, ANCHOR, WEBSITE = sample("asset"), sample("anchor"), sample("website")
EVENT, SUMMARY, ASSETS, SEED = (
    sample("workstream_event"), sample("workstream_summary"), sample("assets"), sample("seed"),
)  # fmt: skip
IDS = {
    "asset": ASSET["id"], "anchor": ANCHOR["id"], "website": WEBSITE["id"], "workstream_event": EVENT["id"],
    "workstream_summary": SUMMARY["id"], "conversation": "conversation-1", "person": "person-1", "message": "message-1",
    "tag": "tag-1", "source": "source-1",
}  # fmt: skip
COLLECTIONS = {
    "asset": "assets", "anchor": "anchors", "website": "websites", "workstream_event": "workstream_events",
    "workstream_summary": "summaries", "conversation": "conversations", "person": "persons", "message": "messages",
    "tag": "tags", "source": "sources",
}  # fmt: skip
SEARCHED = {
    "iterable": [{"identifier": ASSET["id"], "exact": True, "score": 0.9, "match": "TITLE", "asset": ASSET}],
    "suggested": 0,
    "exact": 1,
}
FORMATS = {"iterable": ASSET["formats"]["iterable"]}
PSEUDO = {"identifiers": {"iterable": [{"id": ASSET["id"]}]}}


def ref(session: Session, name: str) -> Any:
    return getattr(session, COLLECTIONS[name]).ref(IDS[name])


@frozen
class Case:
    """One use of an operation."""

    call: Callable[[Session], Any]
    answer: Any = None
    query: dict[str, str] = field(factory=dict)
    body: Callable[[Any], bool] | None = None
    # The answers to other operations that the call uses first.
    before: dict[tuple[str, str], Any] = field(factory=dict)
    outcome: Callable[[Session, Any], bool] = lambda session, result: True


def flags(make: Callable[..., Case], *names: str) -> list[Case]:
    """Return a case without flags, and one for each flag and value."""
    cases = [make({}, {})]
    for name in names:
        cases += [make({name: True}, {name: "true"}), make({name: False}, {name: "false"})]
    return cases


def association(owner: str, other: str, *, present: bool) -> list[Case]:
    def call(session: Session) -> Any:
        one, two = ref(session, owner), ref(session, other)
        (one.associate if present else one.disassociate)(two)

    return [Case(call)]


def read(collection: str, document: Any) -> list[Case]:
    def make(arguments: dict[str, bool], query: dict[str, str]) -> Case:
        return Case(
            lambda session: getattr(session, collection).get(document["id"], **arguments), document, query,
            outcome=lambda session, result: result.raw() == document and result.state.value == "loaded",
        )  # fmt: skip

    return flags(make, "transferables")


def update(collection: str, document: Any, route: str, field: str, wire: str, value: str) -> list[Case]:
    wanted = {**document, wire: value}

    def make(arguments: dict[str, bool], query: dict[str, str]) -> Case:
        def call(session: Session) -> Any:
            entity = getattr(session, collection).get(document["id"])
            setattr(entity, field, value)
            entity.save(**arguments)
            return entity

        return Case(
            call, wanted, query, lambda body: body == wanted, {("GET", route): document},
            lambda session, result: getattr(result, field) == value and result.edits == {},
        )  # fmt: skip

    return flags(make, "transferables")


def score(name: str) -> list[Case]:
    return [
        Case(
            lambda session, reason=reason: ref(session, name).increment_score(reason),
            body=lambda body, reason=reason: body == {name: {reason: True}},
        )
        for reason in ("reuse", "update", "reference", "priority", "searched")
    ]  # fmt: skip


def a_rename(arguments: dict[str, bool], query: dict[str, str]) -> Case:
    return Case(lambda session: ref(session, "anchor").rename(**arguments), ANCHOR, query)


def an_anchor(arguments: dict[str, bool], query: dict[str, str]) -> Case:
    return Case(
        lambda session: session.anchors.create("/projects/tide-tables", type="DIRECTORY", name="tides", **arguments),
        ANCHOR, query,
        lambda body: {k: body[k] for k in ("type", "fullpath", "name")}
        == {"type": "DIRECTORY", "fullpath": "/projects/tide-tables", "name": "tides"},
        outcome=lambda session, result: result is session.anchors.peek(ANCHOR["id"]),
    )  # fmt: skip


def an_asset(arguments: dict[str, bool], query: dict[str, str]) -> Case:
    def right(body: Any) -> bool:
        asset = body["asset"]
        return (
            asset["format"] == {"fragment": {"string": {"raw": "x = 1"}, "metadata": {"ext": "py"}}}
            and asset["metadata"]["name"] == "x.py"
            and asset["metadata"]["tags"] == [{"text": "tides"}]
            and asset["application"]["id"] == "application-1"
        )

    return Case(
        lambda session: session.assets.create("x = 1", name="x.py", language="py", tags=["tides"], **arguments),
        ASSET, query, right, outcome=lambda session, result: result.name == ASSET["name"],
    )  # fmt: skip


def a_draft(arguments: dict[str, bool], query: dict[str, str]) -> Case:
    return Case(
        lambda session: session.assets.draft("x = 1", **arguments), SEED, query,
        lambda body: body["asset"]["format"] == {"fragment": {"string": {"raw": "x = 1"}}},
        outcome=lambda session, draft: (draft.name, draft.language, draft.tags)
        == (SEED["asset"]["metadata"]["name"], "py", ("tides",)),
    )  # fmt: skip


def all_anchors(arguments: dict[str, bool], query: dict[str, str]) -> Case:
    return Case(
        lambda session: session.anchors.all(**arguments),
        sample("anchors"),
        query,
        outcome=lambda session, found: len(found) > 0,
    )


def all_assets(arguments: dict[str, bool], query: dict[str, str]) -> Case:
    return Case(
        lambda session: session.assets.all(**arguments), ASSETS, query, outcome=lambda session, found: len(found) > 0
    )


def the_ids(arguments: dict[str, bool], query: dict[str, str]) -> Case:
    return Case(
        lambda session: session.assets.ids(**arguments), sample("flattened_assets"), query,
        outcome=lambda session, ids: len(ids) > 0 and ids != session._context.identity_map.alive(Asset),
    )  # fmt: skip


def found(session: Session, hits: Any) -> bool:
    [hit] = hits
    return hit.asset is session.assets.peek(ASSET["id"]) and (hit.score, hit.exact, hit.match) == (0.9, True, "TITLE")


def words(arguments: dict[str, bool], query: dict[str, str]) -> Case:
    return Case(
        lambda session: session.assets.search("tide", **arguments), SEARCHED, {"query": "tide", **query}, outcome=found
    )


def tagged(arguments: dict[str, bool], query: dict[str, str]) -> Case:
    return Case(
        lambda session: session.assets.search(tags=["tides", "sea"], **arguments), SEARCHED,
        {"searchable_tags": "tides,sea", **query}, outcome=found,
    )  # fmt: skip


def filtered(arguments: dict[str, bool], query: dict[str, str]) -> Case:
    return Case(
        lambda session: session.assets.search(
            "tide", filters=[filters.classification("py"), filters.any_of(filters.tags("a"), filters.phrase("b"))],
            within=[IDS["asset"]], case_sensitive=True, **arguments,
        ),
        {"results": SEARCHED}, query,
        lambda body: body == {
            "query": "tide", "casing": True, "space": {"identifers": {"iterable": [{"id": IDS["asset"]}]}},
            "filters": {"iterable": [
                {"classification": "py"},
                {"operations": {"type": "OR", "iterable": [{"tags": ["a"]}, {"phrase": {"value": "b"}}]}},
            ]},
        },
        outcome=found,
    )  # fmt: skip


def its_formats(arguments: dict[str, bool], query: dict[str, str]) -> Case:
    return Case(
        lambda session: session.assets.formats(ref(session, "asset"), **arguments), FORMATS, query,
        outcome=lambda session, formats: [each.id for each in formats] == [each["id"] for each in FORMATS["iterable"]],
    )  # fmt: skip


# The contract's pattern for a duration, P[YYYY]-[MM]-[DD]T[hh]:[mm]:[ss], read as the regular expression that it is.
VIEWED = "PY-M-DTh:m:s"
LOOKED_AT = {("GET", f"/assets/{ASSET['id']}"): ASSET}
EVENT_KIND = "workstream_event"
SUMMARY_KIND = "workstream_summary"
CASES: dict[str, list[Case]] = {
    "anchor_associate_workstream_summary": association("anchor", "workstream_summary", present=True),
    "anchor_disassociate_workstream_summary": association("anchor", "workstream_summary", present=False),
    "anchor_rename": flags(a_rename, "transferables"),
    "anchor_scores_increment": score("anchor"),
    "anchor_specific_anchor_snapshot": read("anchors", ANCHOR),
    "anchor_update": update("anchors", ANCHOR, f"/anchor/{ANCHOR['id']}", "name", "name", "new"),
    "anchor_disassociate_asset": [
        Case(
            lambda session: ref(session, "anchor").disassociate(ref(session, "asset")),
            before={("POST", f"/anchor/{ANCHOR['id']}/assets/disassociate/{ASSET['id']}"): 404},
        )
    ],
    "anchors_create_new_anchor": flags(an_anchor, "transferables"),
    "anchors_delete_specific_anchor": [Case(lambda session: ref(session, "anchor").delete())],
    "anchors_snapshot": flags(all_anchors, "transferables"),
    "workstream_event_associate_conversation_message": association(EVENT_KIND, "message", present=True),
    "workstream_event_associate_tag": association(EVENT_KIND, "tag", present=True),
    "workstream_event_associate_workstream_pattern_engine_source":
        association(EVENT_KIND, "source", present=True),
    "workstream_event_associate_workstream_summary": association(EVENT_KIND, SUMMARY_KIND, present=True),
    "workstream_event_disassociate_conversation_message": association(EVENT_KIND, "message", present=False),
    "workstream_event_disassociate_tag": association(EVENT_KIND, "tag", present=False),
    "workstream_event_disassociate_workstream_pattern_engine_source":
        association(EVENT_KIND, "source", present=False),
    "workstream_event_disassociate_workstream_summary": association(EVENT_KIND, SUMMARY_KIND, present=False),
    "workstream_event_scores_increment": score("workstream_event"),
    "workstream_event_update": update(
        "workstream_events", EVENT, f"/workstream_event/{EVENT['id']}", "window_title", "windowTitle", "new"
    ),
    "workstream_events_specific_workstream_event_snapshot": read("workstream_events", EVENT),
    "website_associate_asset": association("website", "asset", present=True),
    "website_associate_conversation": association("website", "conversation", present=True),
    "website_associate_person": association("website", "person", present=True),
    "website_associate_workstream_summary": association("website", "workstream_summary", present=True),
    "website_disassociate_asset": association("website", "asset", present=False),
    "website_disassociate_conversation": association("website", "conversation", present=False),
    "website_disassociate_person": association("website", "person", present=False),
    "website_disassociate_workstream_summary": association("website", "workstream_summary", present=False),
    "website_scores_increment": score("website"),
    "website_update": update("websites", WEBSITE, f"/website/{WEBSITE['id']}", "name", "name", "new"),
    "websites_specific_website_snapshot": read("websites", WEBSITE),
    "assets_create_new_asset": flags(an_asset, "transferables"),
    "assets_delete_asset": [Case(lambda session: ref(session, "asset").delete(), ASSET["id"].encode())],
    "assets_draft": flags(a_draft, "transferables"),
    "assets_get_recommended_assets": [
        Case(
            lambda session: session.assets.recommended([ref(session, "asset")], [Interaction(VIEWED, touched=True)]),
            ASSETS,
            body=lambda body: body["interactions"]
            == {"iterable": [{"asset": ASSET["id"], "interactions": {"viewed": VIEWED, "touched": True}}]}
            and body["assets"] == {"iterable": [ASSET]},
            before=LOOKED_AT,
            outcome=lambda session, assets: len(assets) == len(ASSETS["iterable"]),
        ),
        Case(
            lambda session: session.assets.recommended(), ASSETS,
            body=lambda body: body == {"assets": {"iterable": []}, "interactions": {"iterable": []}},
        ),
    ],
    "assets_get_related_assets": [
        Case(
            lambda session: session.assets.related([ref(session, "asset")]), ASSETS,
            body=lambda body: body == {"iterable": [ASSET]}, before=LOOKED_AT,
        )
    ],
    "assets_identifiers_snapshot": flags(the_ids, "pseudo"),
    "assets_pseudo_snapshot": [
        Case(
            lambda session: session.assets.pseudo(), PSEUDO, before=LOOKED_AT,
            outcome=lambda session, assets: [each.id for each in assets] == [ASSET["id"]],
        )
    ],
    "assets_search_assets": flags(words, "transferables", "pseudo") + flags(tagged, "transferables", "pseudo"),
    "assets_search_with_filters": flags(filtered, "transferables", "pseudo"),
    "assets_snapshot": flags(all_assets, "transferables", "suggested", "pseudo"),
    "assets_specific_asset_formats_snapshot": flags(its_formats, "transferables"),
    "assets_specific_asset_snapshot": read("assets", ASSET),
}  # fmt: skip
STREAMS = {
    "assets_stream_identifiers", "get_assets_stream_transferables", "stream_assets", "workstream_suggestions_stream",
}  # fmt: skip
