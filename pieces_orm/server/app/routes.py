"""All routes: those of the tables of the wire, and those that are not the same for all kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from operator import attrgetter

from attrs import frozen

from ...wire import extensions, routes
from ...wire.associations import ASSOCIATIONS
from ...wire.kinds import ASSET, CONVERSATION, FORMAT, KINDS, MESSAGE, SHARE, SUMMARY, Route
from ..domain.relations import end_of
from ..handlers import (
    applications,
    asset_export,
    assets,
    association_reads,
    associations,
    copilot,
    formats,
    inventory,
    local_answers,
    many,
    materials,
    models,
    question_stream,
    suggestions,
    summaries,
    totals,
    users,
)
from ..handlers.streams import Stream, assets_stream, identifier_stream, once
from ..http.requests import AsyncHandler, Handler
from ..search import asset_search, material_search, queries
from ..workload import Workload, WorkQueue
from .unserved import introduction, refuse, unserved, unserved_streams, upgrade_required


@frozen
class Endpoint:
    """A handler and how it is run.

    `inline` handlers are so quick that they run on the event loop, not in a thread; others wait for a thread in the
    queue that `queue` picks. `needs_user` ones answer 401 when nobody is signed in. A `coroutine`, which runs on the
    event loop and uses queues itself, takes the place of the handler. One of an extension of the wire never takes the
    place of a route of Pieces OS.
    """

    handler: Handler
    queue: Callable[[Workload], WorkQueue]
    inline: bool = False
    needs_user: bool = False
    coroutine: AsyncHandler | None = None
    is_extension: bool = False


_FORMATS = partial(materials.members, ASSET, end_of(ASSET, "formats"))

_SPECIAL: Mapping[Route, Handler] = {
    Route("GET", "/"): introduction,
    routes.HEALTH: applications.health,
    routes.VERSION: applications.version,
    routes.CONNECT: applications.connect,
    routes.MODELS: models.models,
    Route("GET", "/model/{model}"): models.model,
    Route("GET", "/applications"): applications.applications,
    Route("GET", "/applications/{application}"): applications.application,
    Route("POST", "/{application}/onboarded"): applications.onboarded,
    Route("GET", "/os/metadata"): totals.metadata,
    Route("GET", "/user"): users.user,
    Route("GET", "/users"): users.users,
    Route("GET", "/users/{user}"): users.one_user,
    Route("POST", "/users/batch/fetch"): users.users_batch,
    Route("GET", "/user/{user}/person"): users.person,
    Route("POST", "/user/{user}/annotations"): users.annotations_of_user,
    Route("POST", "/person/{person}/annotations"): users.annotations_of_person,
    routes.ASSET_DRAFT: assets.draft,
    Route("GET", "/asset/{asset}/export"): asset_export.export,
    routes.ASSETS_PSEUDO: assets.pseudo,
    routes.ASSETS_RELATED: suggestions.related,
    routes.ASSETS_RECOMMENDED: suggestions.recommended,
    routes.ASSETS_SEARCH: asset_search.by_query,
    routes.ASSETS_SEARCH_FILTERS: asset_search.by_filters,
    routes.SEARCH_FULL_TEXT: asset_search.full_text,
    routes.SEARCH_NEURAL: asset_search.neural,
    routes.ASSET_RECLASSIFY: formats.reclassify_asset,
    Route("POST", "/format/reclassify"): formats.reclassify,
    routes.FORMAT_UPDATE_VALUE: formats.update_value,
    Route("GET", "/metrics/formats"): formats.metrics,
    Route("GET", "/metrics/formats/ordered"): formats.ordered_metrics,
    Route("POST", "/message/update/value"): partial(materials.update, MESSAGE),
    Route("POST", "/workstream_summary/update/value"): summaries.update_text,
    # Members of one material.
    routes.ASSET_FORMATS: _FORMATS,
    Route("GET", "/asset/{asset}/formats"): _FORMATS,
    Route("GET", "/asset/{asset}/activities"): partial(materials.members, ASSET, end_of(ASSET, "activities")),
    Route("GET", "/asset/{asset}/conversations"): partial(materials.members, ASSET, end_of(ASSET, "conversations")),
    routes.CONVERSATION_MESSAGES: partial(materials.members, CONVERSATION, end_of(CONVERSATION, "messages")),
    Route("POST", "/conversation/{conversation}/search"): material_search.search_related(CONVERSATION, "messages"),
    Route("POST", "/conversations/create/from_asset/{asset}"): partial(summaries.create_conversation, ASSET),
    Route("POST", "/conversations/create/from_workstream_summary/{workstream_summary}"): partial(
        summaries.create_conversation, SUMMARY
    ),
    Route("GET", "/workstream_summary/{workstream_summary}/child/identifiers"): partial(
        summaries.related, end_of(SUMMARY, "children")
    ),
    Route("GET", "/workstream_summary/{workstream_summary}/parent/identifiers"): partial(
        summaries.related, end_of(SUMMARY, "parents")
    ),
    Route("GET", "/workstream_summaries/child/identifiers"): partial(summaries.all_in_hierarchy, "b"),
    Route("GET", "/workstream_summaries/parent/identifiers"): partial(summaries.all_in_hierarchy, "a"),
    **copilot.ROUTES,
    # Other spellings of routes that the tables have.
    Route("GET", "/asset/{asset}"): partial(materials.read, ASSET),
    Route("POST", "/asset/{asset}"): partial(materials.read, ASSET),
    Route("GET", "/formats/{format}"): partial(materials.read, FORMAT),
    Route("GET", "/shares/{share}"): partial(materials.read, SHARE),
}

# Spellings of disassociations that only older clients have; they delete nothing but the association.
_OLDER_DELETES = {
    ("person", "assets"): "/persons/{person}/assets/delete/{asset}",
    ("conversation", "assets"): "/conversation/{conversation}/assets/delete/{asset}",
    ("conversation", "anchors"): "/conversation/{conversation}/anchors/delete/{anchor}",
}
# Paths that are answered when nobody is signed in.
OPEN_PATHS = frozenset(
    {"/", routes.HEALTH.path, routes.VERSION.path, routes.CONNECT.path, "/user", "/users", "/users/{user}"}
    | {"/.well-known/stream/health", "/user/stream"}
)
# Reading one document other than an asset takes a few look-ups by key.
_READS = {kind.route("read").path for kind in KINDS.values() if kind is not ASSET}
_DOCUMENT_READS = {
    *(kind.route("read") for kind in KINDS.values()),
    *(kind.route("exists") for kind in KINDS.values() if "exists" in kind.routes),
    *(Route("GET", path) for path in ("/user", "/asset/{asset}")),
    *(Route("GET", path) for path in ("/formats/{format}", "/shares/{share}", "/model/{model}", "/users/{user}")),
    Route("POST", "/asset/{asset}"),
}
_READING_POSTS = {
    *(kind.route(verb) for kind in KINDS.values() for verb in ("search", "batch") if verb in kind.routes),
    *(kind.newer_batch for kind in KINDS.values()),
    *map(extensions.query_route, KINDS.values()),
    *(route for route, _ in (*association_reads.routes(), *inventory.routes(), *local_answers.routes())),
    *copilot.ROUTES,
    *(
        Route("POST", path)
        for path in ("/users/batch/fetch", "/user/{user}/annotations", "/person/{person}/annotations")
    ),
    Route("POST", "/conversation/{conversation}/search"),
    routes.ASSET_DRAFT,
    routes.ASSETS_SEARCH_FILTERS,
}
_INLINE_PATHS = _READS | {"/", routes.HEALTH.path, routes.VERSION.path}


def http_routes() -> Iterator[tuple[str, str, Endpoint]]:
    """Yield every HTTP route: special ones first, which take the place of general ones, then unserved ones.

    Those of the extensions of the wire come last.
    """
    seen: set[tuple[str, str]] = set()
    for route, handler in (*_SPECIAL.items(), *_general_routes()):
        method, path = route.method, route.path
        if (method, path) not in seen:
            seen.add((method, path))
            inline = method == "GET" and path in _INLINE_PATHS
            yield method, path, Endpoint(handler, _queue(route), inline=inline, needs_user=path not in OPEN_PATHS)
    for route, coroutine in copilot.COROUTINES.items():
        seen.add((route.method, route.path))
        yield route.method, route.path, Endpoint(refuse, _queue(route), needs_user=True, coroutine=coroutine)
    for method, path in unserved(seen):
        yield method, path, Endpoint(refuse, attrgetter("state"), inline=True)
    # Also those whose path a parameter of another route would take.
    for path, _ in stream_routes():
        yield "GET", path, Endpoint(upgrade_required, attrgetter("state"), inline=True)
    for route, handler in _extension_routes():
        yield route.method, route.path, Endpoint(handler, _queue(route), needs_user=True, is_extension=True)


def _queue(route: Route) -> Callable[[Workload], WorkQueue]:
    """Pick the queue in which a route's requests wait; every POST counts as a write unless it is known to read."""
    if route in {routes.HEALTH, routes.VERSION}:
        return attrgetter("state")
    if route in _DOCUMENT_READS:
        return attrgetter("documents")
    return attrgetter("collections" if route.method == "GET" or route in _READING_POSTS else "writes")


def _general_routes() -> Iterator[tuple[Route, Handler]]:
    for kind in KINDS.values():
        for verb, handler in materials.VERBS.items():
            if verb in kind.routes:
                yield kind.route(verb), partial(handler, kind)
        if "search" in kind.routes:
            yield kind.route("search"), material_search.search(kind)
        yield kind.newer_batch, partial(materials.newer_batch, kind)
    for row in ASSOCIATIONS:
        yield Route("POST", row.path("associate")), partial(associations.associate, row)
        old = _OLDER_DELETES.get((row.owner.name, row.relation))
        for path in filter(None, (row.path("disassociate"), row.older, old)):
            yield Route("POST", path), partial(associations.disassociate, row)
    yield from association_reads.routes()
    yield from inventory.routes()
    yield from local_answers.routes()


def _extension_routes() -> Iterator[tuple[Route, Handler]]:
    """Yield the routes that are not of Pieces OS."""
    for kind in KINDS.values():
        yield extensions.query_route(kind), queries.query(kind)
        if "create" in kind.routes:
            yield extensions.create_many_route(kind), partial(many.create, kind)
        for present in (True, False):
            yield extensions.associate_many_route(kind, present=present), partial(many.associate, kind, present)


def stream_routes() -> Iterator[tuple[str, Stream | None]]:
    """Yield every WebSocket route, with None for those of the contract that are not served."""
    served = dict(_streams())
    yield from served.items()
    yield from ((path, None) for path in unserved_streams(served))


def _streams() -> Iterator[tuple[str, Stream]]:
    yield routes.ASSETS_STREAM.path, assets_stream(contents=False)
    yield routes.ASSETS_STREAM_CONTENTS.path, assets_stream(contents=True)
    yield routes.SUGGESTIONS_STREAM.path, suggestions.stream()
    yield "/.well-known/stream/health", once(applications.health_text)
    yield "/user/stream", once(users.profile_frame)
    yield "/user/last_checked_in/stream", once(users.checked_in_frame)
    yield "/workstream_pattern_engine/processors/vision/status/stream", once(lambda _: local_answers.vision_text())
    yield "/workstream_pattern_engine/processors/status/stream", once(lambda _: local_answers.processors_text())
    yield "/qgpt/stream", question_stream.stream
    for kind in KINDS.values():
        if "stream" in kind.routes:
            yield kind.route("stream").path, identifier_stream(kind)
