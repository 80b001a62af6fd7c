"""The routes that only one kind has, or none.

Source: the published API description of Pieces OS.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .kinds import CONTENTS_QUERY, JSON, TEXT, Route

HEALTH = Route("GET", "/.well-known/health", (), TEXT, "text")
# What health answers: this, a colon and the server's id; or that its database is being upgraded.
HEALTH_OK, HEALTH_MIGRATING = "ok", "migrating"
VERSION = Route("GET", "/.well-known/version", (), TEXT, "text")
CONNECT = Route("POST", "/connect")
MODELS = Route("GET", "/models")
ASSET_DRAFT = Route("POST", "/assets/draft", CONTENTS_QUERY)
ASSET_FORMATS = Route("GET", "/assets/{asset}/formats", CONTENTS_QUERY, JSON)
CONVERSATION_MESSAGES = Route("GET", "/conversation/{conversation}/messages", CONTENTS_QUERY)
ASSETS_PSEUDO = Route("GET", "/assets/pseudo")
ASSETS_RECOMMENDED = Route("GET", "/assets/recommended", (), JSON)
ASSETS_RELATED = Route("GET", "/assets/related", (), JSON)
ASSETS_SEARCH = Route("GET", "/assets/search", ("query", "transferables", "searchable_tags", "pseudo"))
ASSETS_SEARCH_FILTERS = Route("POST", "/assets/search", ("transferables", "pseudo"))
SEARCH_FULL_TEXT = Route("GET", "/search/full_text", ("query", "pseudo"))
SEARCH_NEURAL = Route("GET", "/search/neural_code", ("query", "pseudo"))
ASSET_RECLASSIFY = Route("POST", "/asset/reclassify", CONTENTS_QUERY, JSON)
FORMAT_UPDATE_VALUE = Route("POST", "/format/update/value", ("transferable",))
ASSETS_STREAM = Route("GET", "/assets/stream", (), JSON)
ASSETS_STREAM_CONTENTS = Route("GET", "/assets/stream/transferables", (), JSON)
SUGGESTIONS_STREAM = Route("GET", "/workstream/suggestions/stream")

# Routes that read all targets of a relation of one material in one request: (kind, relation) -> route.
PAGES: Mapping[tuple[str, str], Route] = MappingProxyType(
    {("conversation", "messages"): CONVERSATION_MESSAGES, ("asset", "formats"): ASSET_FORMATS}
)
