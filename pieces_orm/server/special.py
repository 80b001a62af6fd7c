"""The routes that are not the same for all kinds."""

from __future__ import annotations

from collections.abc import Mapping

from pieces_orm import endpoints
from pieces_orm.endpoints import ASSET, CONVERSATION, FORMAT, SHARE, Route

from . import assets, context, further, materials, search, suggestions
from .answers import Handler
from .streams import Stream, assets_stream, once

_ROUTES: Mapping[Route, Handler] = {
    endpoints.HEALTH: context.health,
    endpoints.VERSION: context.version,
    endpoints.CONNECT: context.connect,
    endpoints.MODELS: context.models,
    Route("GET", "/model/{model}"): context.model,
    Route("GET", "/applications"): context.applications,
    Route("GET", "/user"): context.user,
    Route("GET", "/users"): context.users,
    Route("GET", "/users/{user}"): context.one_user,
    ASSET.route("create"): assets.create,
    endpoints.ASSET_DRAFT: assets.draft,
    endpoints.ASSET_FORMATS: materials.members(ASSET, "formats"),
    Route("GET", "/asset/{asset}/formats"): materials.members(ASSET, "formats"),
    endpoints.CONVERSATION_MESSAGES: materials.members(CONVERSATION, "messages"),
    Route("GET", "/asset/{asset}/conversations"): materials.members(ASSET, "conversations"),
    endpoints.ASSETS_PSEUDO: assets.pseudo,
    endpoints.ASSET_RECLASSIFY: assets.reclassify,
    endpoints.FORMAT_UPDATE_VALUE: assets.update_value,
    endpoints.ASSETS_SEARCH: search.by_query,
    endpoints.ASSETS_SEARCH_FILTERS: search.by_filters,
    endpoints.SEARCH_FULL_TEXT: search.full_text,
    endpoints.SEARCH_NEURAL: search.neural,
    endpoints.ASSETS_RELATED: suggestions.related,
    endpoints.ASSETS_RECOMMENDED: suggestions.recommended,
    # Other spellings of routes that the tables have.
    Route("GET", "/asset/{asset}"): materials.read(ASSET),
    Route("GET", "/formats/{format}"): materials.read(FORMAT),
    Route("GET", "/shares/{share}"): materials.read(SHARE),
    **further.ROUTES,
}

# What is answered when nobody is signed in.
OPEN = frozenset(
    {endpoints.HEALTH.path, endpoints.VERSION.path, endpoints.CONNECT.path, "/user", "/users", "/users/{user}"}
    | {"/.well-known/stream/health", "/user/stream"}
)

ROUTES: tuple[tuple[str, str, Handler], ...] = tuple(
    (route.method, route.path, handler) for route, handler in _ROUTES.items()
)
STREAMS: tuple[tuple[str, Stream], ...] = (
    (endpoints.ASSETS_STREAM.path, assets_stream(contents=False)),
    (endpoints.ASSETS_STREAM_CONTENTS.path, assets_stream(contents=True)),
    (endpoints.SUGGESTIONS_STREAM.path, suggestions.stream()),
    ("/.well-known/stream/health", once(context.health_text)),
    ("/user/stream", once(context.user_frame)),
    ("/user/last_checked_in/stream", once(context.checked_in)),
    # Pieces OS speaks here about what this server does not do; programs only need the stream to be there.
    ("/workstream_pattern_engine/processors/vision/status/stream", once(lambda _: None)),
    ("/qgpt/stream", once(lambda _: None)),
)
