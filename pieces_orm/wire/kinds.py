"""The kinds of material and the routes of each: one table for the client and the embedded server.

Source: the published API description of Pieces OS.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from attrs import field, frozen

from ..errors import UnsupportedOperationError

JSON = "application/json"
JSON_OR_TEXT = "application/json, text/plain"
TEXT = "text/plain"
CONTENTS_QUERY = ("transferables",)

Verb = Literal[
    "read", "all", "ids", "create", "update", "delete", "rename", "score", "exists", "search",
    "stream", "batch",
]  # fmt: skip
Answer = Literal["json", "collection", "text", "nothing"]


def _plural(name: str) -> str:
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


@frozen
class Route:
    """One operation: its method, path template, query parameters, Accept header, and the form of its answer."""

    method: str
    path: str
    query: tuple[str, ...] = ()
    accept: str = JSON_OR_TEXT
    answer: Answer = "json"


@frozen
class Kind:
    """One kind of material: its names on the wire, and its routes.

    Attributes:
        name: the wire's name of the kind.
        collection: the name of the session's collection, and of relations to the kind.
        schema: the name of its schema in the API description.
        singular, plural: the first segments of its paths, for one material and for all.
        parameter: the name of its id in paths.
        stream: its key in the frames of the stream of identifiers; None when it has no stream.
        score: its key in the body of a score increment; None when it has no scores.
        missing_status: the status by which the server says that there is no such material.
        newer_batch: the batch read of newer servers; the published API has one for a few kinds only, as `batch`.
        routes: its operations, by verb.
    """

    name: str
    collection: str
    schema: str
    singular: str
    plural: str
    parameter: str
    stream: str | None
    score: str | None
    missing_status: int
    newer_batch: Route
    routes: Mapping[Verb, Route] = field(repr=False, eq=False)

    @property
    def batch_keys(self) -> tuple[str, ...]:
        """The keys of the collection in the bodies of batch reads: that of Pieces OS, and another spelling of some."""
        first, *others = self.plural.replace("/", "_").split("_")
        by_path = first + "".join(other.capitalize() for other in others)
        return tuple(dict.fromkeys((_plural(self.schema[0].lower() + self.schema[1:]), by_path)))

    @property
    def material_type(self) -> str:
        """The name of the kind where one route serves all kinds."""
        return _plural(self.name).upper()

    def route(self, verb: Verb) -> Route:
        """Return the route of a verb.

        Raises:
            UnsupportedOperationError: the server has no such operation for this kind.
        """
        found = self.routes.get(verb)
        if found is None:
            verbs = ", ".join(sorted(self.routes))
            message = f"There is no operation {verb!r} for {self.collection}; the operations are {verbs}."
            raise UnsupportedOperationError(message)
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
    searchable: bool = False,
    missing_status: int = 410,
    without: tuple[Verb, ...] = (),
    transferables: bool = True,
    **special: Route,
) -> Kind:
    """Make the row of a kind: the regular routes except those in `without`, then those in `special`."""
    one, many, key = singular or name, plural or collection, parameter or name
    contents = CONTENTS_QUERY if transferables else ()
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
        accept = JSON if name in _JSON_STREAMS else JSON_OR_TEXT
        routes["stream"] = Route("GET", f"/{many}/stream/identifiers", (), accept)
    if searchable:
        routes["search"] = Route("POST", f"/{many}/search", CONTENTS_QUERY)
    for verb in without:
        del routes[verb]
    return Kind(
        name=name, collection=collection, schema=schema, singular=one, plural=many, parameter=key, stream=stream,
        score=_SCORE_KEYS.get(name, name) if score else None, missing_status=missing_status,
        newer_batch=Route("POST", f"/{many}/batch/fetch", contents),
        routes=MappingProxyType(routes | special),  # type: ignore[arg-type]
    )  # fmt: skip


# The keys of kinds in the body of a score increment, where the key is not the name of the kind.
_SCORE_KEYS = {"anchor_point": "anchorPoint", "conversation_message": "conversationMessage"}
# The kinds whose streams of identifiers have a different Accept header.
_JSON_STREAMS = ("asset", "workstream_summary", "workstream_pattern_engine_source_window")
_FORMAT_CONTENTS = ("transferable", "package_activities")
_WINDOW = ("limit", "created_from", "created_to", "updated_from", "updated_to")

# fmt: off
ASSET = kind(
    "asset", "assets", "Asset", stream="asset",
    read=Route("GET", "/assets/{asset}", CONTENTS_QUERY),
    all=Route("GET", "/assets", ("transferables", "suggested", "pseudo"), JSON),
    ids=Route("GET", "/assets/identifiers", ("pseudo",)),
    create=Route("POST", "/assets/create", CONTENTS_QUERY, JSON),
    update=Route("POST", "/asset/update", CONTENTS_QUERY, JSON),
    delete=Route("POST", "/assets/{asset}/delete", (), TEXT, "text"),
)
ANCHOR = kind(
    "anchor", "anchors", "Anchor", stream="anchor", searchable=True,
    rename=Route("POST", "/anchor/{anchor}/rename", CONTENTS_QUERY),
)
ANCHOR_POINT = kind("anchor_point", "anchor_points", "AnchorPoint", stream="anchorPoint")
ANNOTATION = kind(
    "annotation", "annotations", "Annotation", stream="annotation", searchable=True, missing_status=500,
    transferables=False,
    all=Route("GET", "/annotations", ("annotation_type_filter",)),
)
ACTIVITY = kind(
    "activity", "activities", "Activity", stream="activity", score=False,
    all=Route("GET", "/activities", ("transferables", "pseudo")),
    ids=Route("GET", "/activity/identifiers", ("pseudo", "activity_filter_enum")),
)
CONVERSATION = kind(
    "conversation", "conversations", "Conversation", stream="conversation", searchable=True,
    ids=Route("GET", "/conversations/identifiers"),
    rename=Route("POST", "/conversation/{conversation}/rename", CONTENTS_QUERY),
)
MESSAGE = kind(
    "conversation_message", "messages", "ConversationMessage", "message", "messages", "message",
    stream="conversationMessage", searchable=True,
)
FORMAT = kind(
    "format", "formats", "Format", stream="format", score=False, without=("create", "update", "delete"),
    read=Route("GET", "/format/{format}", _FORMAT_CONTENTS, JSON),
    all=Route("GET", "/formats", CONTENTS_QUERY, JSON),
)
HINT = kind("hint", "hints", "Hint", stream="hint", searchable=True, missing_status=500, transferables=False)
PERSON = kind(
    "person", "persons", "Person", stream="person", searchable=True, missing_status=500,
    update=Route("POST", "/person/update", CONTENTS_QUERY, JSON),
)
RANGE = kind("range", "ranges", "Range", stream="range", transferables=False)
SENSITIVE = kind(
    "sensitive", "sensitives", "Sensitive", stream="sensitive", searchable=True, missing_status=500,
    transferables=False,
)
SHARE = kind(
    "share", "shares", "Share",
    read=Route("GET", "/share/{share}", CONTENTS_QUERY, JSON),
    all=Route("GET", "/shares", CONTENTS_QUERY, JSON),
    create=Route("POST", "/shares/create", CONTENTS_QUERY, JSON, "collection"),
    update=Route("POST", "/share/update", CONTENTS_QUERY, JSON),
    delete=Route("POST", "/shares/{share}/delete", (), TEXT, "text"),
)
SOURCE = kind(
    "workstream_pattern_engine_source", "sources", "IdentifiedWorkstreamPatternEngineSource",
    "workstream_pattern_engine/source", "workstream_pattern_engine/sources", "source",
    stream="workstreamPatternEngineSource", searchable=True,
)
SOURCE_WINDOW = kind(
    "workstream_pattern_engine_source_window", "source_windows", "WorkstreamPatternEngineSourceWindow",
    "workstream_pattern_engine/source_window", "workstream_pattern_engine/source_windows", "source_window",
    stream="workstreamPatternEngineSourceWindow", missing_status=500,
    search=Route("POST", "/workstream_pattern_engine/source_windows/search"),
)
SUMMARY = kind(
    "workstream_summary", "summaries", "WorkstreamSummary", plural="workstream_summaries",
    stream="workstream_summary", searchable=True,
    read=Route("GET", "/workstream_summary/{workstream_summary}", ("transferables", "association_metadata")),
    batch=Route("POST", "/workstream_summaries/batch", CONTENTS_QUERY),
)
TAG = kind(
    "tag", "tags", "Tag", stream="tag", searchable=True,
    exists=Route("POST", "/tags/exists"),
)
WEBSITE = kind(
    "website", "websites", "Website", stream="website", searchable=True,
    exists=Route("POST", "/websites/exists"),
)
WORKSTREAM_EVENT = kind(
    "workstream_event", "workstream_events", "WorkstreamEvent",
    ids=Route("GET", "/workstream_events/identifiers", _WINDOW),
    batch=Route("POST", "/workstream_events/batch/fetch", CONTENTS_QUERY),
)
# fmt: on

_ALL = (
    ASSET, ANCHOR, ANCHOR_POINT, ANNOTATION, ACTIVITY, CONVERSATION, MESSAGE, FORMAT, HINT, PERSON, RANGE,
    SENSITIVE, SHARE, SOURCE, SOURCE_WINDOW, SUMMARY, TAG, WEBSITE, WORKSTREAM_EVENT,
)  # fmt: skip
KINDS: Mapping[str, Kind] = MappingProxyType({row.name: row for row in _ALL})
COLLECTIONS: Mapping[str, Kind] = MappingProxyType({row.collection: row for row in _ALL})
