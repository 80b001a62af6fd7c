"""The wire as data: what kinds there are, which routes each has, and which pairs can be associated.

Both the client side and the embedded server read these tables; neither has a route of its own for what stands here.
Source: the published API description of Pieces OS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal

from attrs import field, frozen

from .errors import UnsupportedOperationError

JSON = "application/json"
JSON_OR_TEXT = "application/json, text/plain"
TEXT = "text/plain"

Verb = Literal[
    "read", "all", "ids", "create", "update", "delete", "rename", "score", "exists", "search",
    "stream", "batch",
]  # fmt: skip
Answer = Literal["json", "collection", "text", "nothing"]


@frozen
class Route:
    """One operation: method, path template, allowed query parameters, Accept, and what it answers."""

    method: str
    path: str
    query: tuple[str, ...] = ()
    accept: str = JSON_OR_TEXT
    answer: Answer = "json"


@frozen
class Kind:
    """One kind of material: its names on the wire and its routes.

    `name` is the wire's word for one, `collection` the name of relation and session collection, `parameter` the name
    of its id in paths, `stream` its key in identifier frames (None: it has no stream), `score` its key in a score
    increment, `gone` the status that says "no such material". `newer_batch` is the batch read of newer servers, which
    the published API has for few kinds (`batch`).
    """

    name: str
    collection: str
    schema: str
    singular: str
    plural: str
    parameter: str
    stream: str | None
    score: str | None
    gone: int
    newer_batch: Route
    routes: Mapping[Verb, Route] = field(repr=False, eq=False)

    @property
    def batch_key(self) -> str:
        """The name of the collection in the bodies of batch reads."""
        first, *others = self.plural.replace("/", "_").split("_")
        return first + "".join(other.capitalize() for other in others)

    def route(self, verb: Verb) -> Route:
        """The route of a verb.

        Raises:
            UnsupportedOperationError: the wire has no such operation for this kind.
        """
        found = self.routes.get(verb)
        if found is None:
            raise UnsupportedOperationError(
                f"The wire has no operation {verb!r} for {self.collection}; it has: {', '.join(sorted(self.routes))}."
            )
        return found


def kind(
    name: str,
    collection: str,
    schema: str,
    singular: str = "",
    plural: str = "",
    parameter: str = "",
    *,
    stream: str | None = None,
    score: bool = True,
    gone: int = 410,
    without: tuple[Verb, ...] = (),
    transferables: bool = True,
    **special: Route,
) -> Kind:
    """The row of a kind: its regular routes, less those in `without`, plus and replaced by those in `special`."""
    one, many, key = singular or name, plural or collection, parameter or name
    contents = ("transferables",) if transferables else ()
    routes: dict[str, Route] = {
        "read": Route("GET", f"/{one}/{{{key}}}", contents),
        "all": Route("GET", f"/{many}", contents),
        "create": Route("POST", f"/{many}/create", contents),
        "update": Route("POST", f"/{one}/update", contents),
        "delete": Route("POST", f"/{many}/{{{key}}}/delete", (), TEXT, "nothing"),
    }
    if score:
        routes["score"] = Route("POST", f"/{one}/{{{key}}}/scores/increment", (), TEXT, "nothing")
    if stream:
        routes["stream"] = Route(
            "GET", f"/{many}/stream/identifiers", (), JSON if name in _JSON_STREAMS else JSON_OR_TEXT
        )
    for verb in without:
        del routes[verb]
    return Kind(
        name=name, collection=collection, schema=schema, singular=one, plural=many, parameter=key, stream=stream,
        score=_SCORE_KEYS.get(name, name) if score else None, gone=gone,
        newer_batch=Route("POST", f"/{many}/batch/fetch", contents),
        routes=MappingProxyType(routes | special),  # type: ignore[arg-type]
    )  # fmt: skip


_SCORE_KEYS = {"anchor_point": "anchorPoint", "conversation_message": "conversationMessage"}
_JSON_STREAMS = ("asset", "workstream_summary", "workstream_pattern_engine_source_window")
_CONTENTS = ("transferables",)
_FORMAT_CONTENTS = ("transferable", "package_activities")
_WINDOW = ("limit", "created_from", "created_to", "updated_from", "updated_to")

_ALL_KINDS = (
    kind(
        "asset", "assets", "Asset", stream="asset",
        read=Route("GET", "/assets/{asset}", _CONTENTS),
        all=Route("GET", "/assets", ("transferables", "suggested", "pseudo"), JSON),
        ids=Route("GET", "/assets/identifiers", ("pseudo",)),
        create=Route("POST", "/assets/create", _CONTENTS, JSON),
        update=Route("POST", "/asset/update", _CONTENTS, JSON),
        delete=Route("POST", "/assets/{asset}/delete", (), TEXT, "text"),
    ),
    kind(
        "anchor", "anchors", "Anchor", stream="anchor",
        rename=Route("POST", "/anchor/{anchor}/rename", _CONTENTS),
        search=Route("POST", "/anchors/search", _CONTENTS),
    ),
    kind("anchor_point", "anchor_points", "AnchorPoint", stream="anchorPoint"),
    kind(
        "annotation", "annotations", "Annotation", stream="annotation", gone=500, transferables=False,
        all=Route("GET", "/annotations", ("annotation_type_filter",)),
        search=Route("POST", "/annotations/search", _CONTENTS),
    ),
    kind(
        "activity", "activities", "Activity", stream="activity", score=False,
        all=Route("GET", "/activities", ("transferables", "pseudo")),
        ids=Route("GET", "/activity/identifiers", ("pseudo", "activity_filter_enum")),
    ),
    kind(
        "conversation", "conversations", "Conversation", stream="conversation",
        ids=Route("GET", "/conversations/identifiers"),
        rename=Route("POST", "/conversation/{conversation}/rename", _CONTENTS),
        search=Route("POST", "/conversations/search", _CONTENTS),
    ),
    kind(
        "conversation_message", "messages", "ConversationMessage", "message", "messages", "message",
        stream="conversationMessage",
        search=Route("POST", "/messages/search", _CONTENTS),
    ),
    kind(
        "format", "formats", "Format", stream="format", score=False, without=("create", "update", "delete"),
        read=Route("GET", "/format/{format}", _FORMAT_CONTENTS, JSON),
        all=Route("GET", "/formats", _CONTENTS, JSON),
    ),
    kind(
        "hint", "hints", "Hint", stream="hint", gone=500, transferables=False,
        search=Route("POST", "/hints/search", _CONTENTS),
    ),
    kind(
        "person", "persons", "Person", stream="person", gone=500,
        update=Route("POST", "/person/update", _CONTENTS, JSON),
        search=Route("POST", "/persons/search", _CONTENTS),
    ),
    kind("range", "ranges", "Range", stream="range", transferables=False),
    kind(
        "sensitive", "sensitives", "Sensitive", stream="sensitive", gone=500, transferables=False,
        search=Route("POST", "/sensitives/search", _CONTENTS),
    ),
    kind(
        "share", "shares", "Share",
        read=Route("GET", "/share/{share}", _CONTENTS, JSON),
        all=Route("GET", "/shares", _CONTENTS, JSON),
        create=Route("POST", "/shares/create", _CONTENTS, JSON, "collection"),
        update=Route("POST", "/share/update", _CONTENTS, JSON),
        delete=Route("POST", "/shares/{share}/delete", (), TEXT, "text"),
    ),
    kind(
        "workstream_pattern_engine_source", "sources", "IdentifiedWorkstreamPatternEngineSource",
        "workstream_pattern_engine/source", "workstream_pattern_engine/sources", "source",
        stream="workstreamPatternEngineSource",
        search=Route("POST", "/workstream_pattern_engine/sources/search", _CONTENTS),
    ),
    kind(
        "workstream_pattern_engine_source_window", "source_windows", "WorkstreamPatternEngineSourceWindow",
        "workstream_pattern_engine/source_window", "workstream_pattern_engine/source_windows", "source_window",
        stream="workstreamPatternEngineSourceWindow", gone=500,
        search=Route("POST", "/workstream_pattern_engine/source_windows/search"),
    ),
    kind(
        "workstream_summary", "summaries", "WorkstreamSummary", plural="workstream_summaries",
        stream="workstream_summary",
        read=Route("GET", "/workstream_summary/{workstream_summary}", ("transferables", "association_metadata")),
        search=Route("POST", "/workstream_summaries/search", _CONTENTS),
        batch=Route("POST", "/workstream_summaries/batch", _CONTENTS),
    ),
    kind(
        "tag", "tags", "Tag", stream="tag",
        exists=Route("POST", "/tags/exists"),
        search=Route("POST", "/tags/search", _CONTENTS),
    ),
    kind(
        "website", "websites", "Website", stream="website",
        exists=Route("POST", "/websites/exists"),
        search=Route("POST", "/websites/search", _CONTENTS),
    ),
    kind(
        "workstream_event", "workstream_events", "WorkstreamEvent",
        ids=Route("GET", "/workstream_events/identifiers", _WINDOW),
        batch=Route("POST", "/workstream_events/batch/fetch", _CONTENTS),
    ),
)  # fmt: skip

KINDS: Mapping[str, Kind] = MappingProxyType({row.name: row for row in _ALL_KINDS})
COLLECTIONS: Mapping[str, Kind] = MappingProxyType({row.collection: row for row in _ALL_KINDS})

ACTIVITY, ANCHOR, ANCHOR_POINT, ANNOTATION, ASSET = (
    KINDS[name] for name in ("activity", "anchor", "anchor_point", "annotation", "asset")
)
CONVERSATION, FORMAT, HINT, MESSAGE, PERSON = (
    KINDS[name] for name in ("conversation", "format", "hint", "conversation_message", "person")
)
RANGE, SENSITIVE, SHARE, SUMMARY, TAG = (
    KINDS[name] for name in ("range", "sensitive", "share", "workstream_summary", "tag")
)
SOURCE, SOURCE_WINDOW, WEBSITE, WORKSTREAM_EVENT = (
    KINDS[name]
    for name in (
        "workstream_pattern_engine_source",
        "workstream_pattern_engine_source_window",
        "website",
        "workstream_event",
    )
)

# What only one kind, or none, has.
HEALTH = Route("GET", "/.well-known/health", (), TEXT, "text")
VERSION = Route("GET", "/.well-known/version", (), TEXT, "text")
CONNECT = Route("POST", "/connect")
MODELS = Route("GET", "/models")
ASSET_DRAFT = Route("POST", "/assets/draft", _CONTENTS)
ASSET_FORMATS = Route("GET", "/assets/{asset}/formats", _CONTENTS, JSON)
CONVERSATION_MESSAGES = Route("GET", "/conversation/{conversation}/messages", _CONTENTS)
ASSETS_PSEUDO = Route("GET", "/assets/pseudo")
ASSETS_RECOMMENDED = Route("GET", "/assets/recommended", (), JSON)
ASSETS_RELATED = Route("GET", "/assets/related", (), JSON)
ASSETS_SEARCH = Route("GET", "/assets/search", ("query", "transferables", "searchable_tags", "pseudo"))
ASSETS_SEARCH_FILTERS = Route("POST", "/assets/search", ("transferables", "pseudo"))
SEARCH_FULL_TEXT = Route("GET", "/search/full_text", ("query", "pseudo"))
SEARCH_NEURAL = Route("GET", "/search/neural_code", ("query", "pseudo"))
ASSET_RECLASSIFY = Route("POST", "/asset/reclassify", _CONTENTS, JSON)
FORMAT_UPDATE_VALUE = Route("POST", "/format/update/value", ("transferable",))
ASSETS_STREAM = Route("GET", "/assets/stream", (), JSON)
ASSETS_STREAM_CONTENTS = Route("GET", "/assets/stream/transferables", (), JSON)
SUGGESTIONS_STREAM = Route("GET", "/workstream/suggestions/stream")


@frozen
class Association:
    """One direction of an association: how `owner` names `other`, in documents and in routes.

    `relation` is the name on the entity, `wire` the (dotted) key in the owner's document, `segment` the part of the
    route between owner and verb, `parameter` the name of the other's id in the route, `full` whether the owner's
    document nests whole documents, `older` an older spelling of the disassociate route, `roles` the keys of the body by
    which the associate route tells owner from other.
    """

    owner: Kind
    relation: str
    other: Kind
    wire: str
    segment: str
    parameter: str
    full: bool
    older: str | None = None
    roles: tuple[str, str] | None = None

    def path(self, verb: Literal["associate", "disassociate"]) -> str:
        """The route template, such as /anchor/{anchor}/assets/associate/{asset}."""
        owner = f"/{self.owner.singular}/{{{self.owner.parameter}}}"
        return f"{owner}/{self.segment}/{verb}/{{{self.parameter}}}"


# Which relations each kind can associate, by relation name. The name is the other kind's collection, unless
# _IRREGULAR says more: (kind, relation) -> (other kind, wire key, route segment).
_ASSOCIABLE = {
    "anchor": "annotations assets conversations messages persons tags workstream_events sources summaries",
    "annotation": "anchors assets conversations messages persons tags websites workstream_events summaries",
    "asset": "anchors annotations conversations messages hints persons tags websites summaries",
    "conversation": "anchors annotations assets grounding_messages ranges websites sources summaries",
    "conversation_message": (
        "anchors annotations assets messages persons ranges tags websites workstream_events sources summaries"
    ),
    "hint": "assets",
    "person": "anchors annotations assets messages persons tags websites workstream_events sources summaries",
    "range": "conversations messages summaries",
    "tag": "anchors annotations assets messages persons websites workstream_events source_windows summaries",
    "website": (
        "annotations assets conversations messages persons tags workstream_events sources source_windows summaries"
    ),
    "workstream_event": "anchors annotations messages persons tags websites sources source_windows summaries",
    "workstream_pattern_engine_source": "anchors conversations messages persons websites workstream_events summaries",
    "workstream_pattern_engine_source_window": "tags websites workstream_events",
    "workstream_summary": (
        "anchors annotations assets conversations messages persons ranges tags websites workstream_events sources "
        "summaries"
    ),
}
_IRREGULAR = {
    ("conversation", "grounding_messages"): (MESSAGE, "grounding.messages", "grounding/messages"),
    ("conversation", "ranges"): (RANGE, "grounding.temporal.workstreams", "grounding/temporal_range/workstreams"),
    ("conversation", "sources"): (SOURCE, "grounding.sources", "grounding/workstream_pattern_engine/sources"),
    ("range", "conversations"): (CONVERSATION, "conversations", "conversations/grounding/temporal_range/workstreams"),
    ("workstream_pattern_engine_source", "conversations"): (
        CONVERSATION, "conversations", "conversations/grounding/sources",
    ),
    ("workstream_summary", "workstream_events"): (WORKSTREAM_EVENT, "events", "workstream_events"),
}  # fmt: skip
_OLDER_DISASSOCIATE = {("anchor", "assets"): "/anchors/{anchor}/assets/delete/{asset}"}


def _associations() -> Iterator[Association]:
    for name, relations in _ASSOCIABLE.items():
        owner = KINDS[name]
        for relation in relations.split():
            irregular = _IRREGULAR.get((name, relation))
            other, wire, segment = irregular or (COLLECTIONS[relation], relation, COLLECTIONS[relation].plural)
            yield Association(
                owner=owner,
                relation=relation,
                other=other,
                wire=wire,
                segment=segment,
                parameter=f"additional_{other.parameter}" if other is owner else other.parameter,
                full=owner is ASSET,
                older=_OLDER_DISASSOCIATE.get((name, relation)),
            )


ASSOCIATIONS: tuple[Association, ...] = tuple(_associations())
# Two more relations of summary with summary: the same route, and a body that says which is which.
HIERARCHY = tuple(
    Association(
        SUMMARY, name, SUMMARY, name, SUMMARY.plural, f"additional_{SUMMARY.parameter}", full=False, roles=roles
    )
    for name, roles in (("parents", ("child", "parent")), ("children", ("parent", "child")))
)
_BY_RELATION = {(row.owner.name, row.relation): row for row in (*ASSOCIATIONS, *HIERARCHY)}


def association(kind: Kind, relation: str) -> Association | None:
    """The row of a kind's relation, or None when no route changes that relation."""
    return _BY_RELATION.get((kind.name, relation))


@frozen
class Link:
    """A relation that no route changes: it comes with the creation of the many side.

    `many` is the wire key of the list in the owner's document, `one` the wire key of the owner in the member's.
    """

    owner: Kind
    relation: str
    many: str
    member: Kind
    one: str
    full: bool = False


LINKS: tuple[Link, ...] = (
    Link(ANCHOR, "anchor_points", "points", ANCHOR_POINT, "anchor"),
    Link(CONVERSATION, "messages", "messages", MESSAGE, "conversation"),
    Link(ASSET, "formats", "formats", FORMAT, "asset", full=True),
    Link(ASSET, "sensitives", "sensitives", SENSITIVE, "asset", full=True),
    Link(ASSET, "shares", "shares", SHARE, "asset", full=True),
    Link(ASSET, "activities", "activities", ACTIVITY, "asset", full=True),
    Link(FORMAT, "activities", "activities", ACTIVITY, "format", full=True),
)

# Routes that read all targets of one relation of one material at once: (kind, relation) -> route.
PAGES: Mapping[tuple[str, str], Route] = MappingProxyType(
    {("conversation", "messages"): CONVERSATION_MESSAGES, ("asset", "formats"): ASSET_FORMATS}
)
