"""The routes that are not the same for all kinds."""

from __future__ import annotations

from collections.abc import Mapping

from ...wire import routes
from ...wire.kinds import ASSET, CONVERSATION, FORMAT, SHARE, Route
from ..handlers import applications, assets, materials, suggestions, summaries
from ..handlers.streams import Stream, assets_stream, once
from ..http.answers import Handler
from ..search import asset_search

_ROUTES: Mapping[Route, Handler] = {
    routes.HEALTH: applications.health,
    routes.VERSION: applications.version,
    routes.CONNECT: applications.connect,
    routes.MODELS: applications.models,
    Route("GET", "/model/{model}"): applications.model,
    Route("GET", "/applications"): applications.applications,
    Route("GET", "/user"): applications.user,
    Route("GET", "/users"): applications.users,
    Route("GET", "/users/{user}"): applications.one_user,
    ASSET.route("create"): assets.create,
    routes.ASSET_DRAFT: assets.draft,
    routes.ASSET_FORMATS: materials.members(ASSET, "formats"),
    Route("GET", "/asset/{asset}/formats"): materials.members(ASSET, "formats"),
    routes.CONVERSATION_MESSAGES: materials.members(CONVERSATION, "messages"),
    Route("GET", "/asset/{asset}/conversations"): materials.members(ASSET, "conversations"),
    routes.ASSETS_PSEUDO: assets.pseudo,
    routes.ASSET_RECLASSIFY: assets.reclassify,
    routes.FORMAT_UPDATE_VALUE: assets.update_value,
    routes.ASSETS_SEARCH: asset_search.by_query,
    routes.ASSETS_SEARCH_FILTERS: asset_search.by_filters,
    routes.SEARCH_FULL_TEXT: asset_search.full_text,
    routes.SEARCH_NEURAL: asset_search.neural,
    routes.ASSETS_RELATED: suggestions.related,
    routes.ASSETS_RECOMMENDED: suggestions.recommended,
    # Other spellings of routes that the tables have.
    Route("GET", "/asset/{asset}"): materials.read(ASSET),
    Route("GET", "/formats/{format}"): materials.read(FORMAT),
    Route("GET", "/shares/{share}"): materials.read(SHARE),
    **summaries.ROUTES,
}

# What is answered when nobody is signed in.
OPEN = frozenset(
    {routes.HEALTH.path, routes.VERSION.path, routes.CONNECT.path, "/user", "/users", "/users/{user}"}
    | {"/.well-known/stream/health", "/user/stream"}
)

ROUTES: tuple[tuple[str, str, Handler], ...] = tuple(
    (route.method, route.path, handler) for route, handler in _ROUTES.items()
)
STREAMS: tuple[tuple[str, Stream], ...] = (
    (routes.ASSETS_STREAM.path, assets_stream(contents=False)),
    (routes.ASSETS_STREAM_CONTENTS.path, assets_stream(contents=True)),
    (routes.SUGGESTIONS_STREAM.path, suggestions.stream()),
    ("/.well-known/stream/health", once(applications.health_text)),
    ("/user/stream", once(applications.user_frame)),
    ("/user/last_checked_in/stream", once(applications.checked_in)),
    # Pieces OS speaks here about what this server does not do; programs only need the stream to be there.
    ("/workstream_pattern_engine/processors/vision/status/stream", once(lambda _: None)),
    ("/qgpt/stream", once(lambda _: None)),
)
