"""Extensions of the wire: what the embedded server answers beyond Pieces OS, for programs that ask for it.

The server names its extensions in a header of every answer. Pieces OS has no such header, and is never asked for any.
docs/server.md, "Extensions of the wire", describes them for other programs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal

from .associations import ASSOCIATIONS, HIERARCHY, LINKS
from .kinds import ANCHOR, ANNOTATION, ASSET, PERSON, TAG, WEBSITE, Kind, Route

EXTENSIONS_HEADER = "X-Pieces-Orm-Extensions"
"""Names the extensions, with commas between them."""
TOTAL_HEADER = "X-Pieces-Orm-Total"
"""The number of all that a page is a part of."""

PAGES, QUERY, UNIQUE, MANY = "pages", "query", "unique", "many"
EXTENSIONS = (PAGES, QUERY, UNIQUE, MANY)

# pages: parameters of every collection and identifiers route --------------------------------------------------------

PAGE_PARAMETERS = ("limit", "offset", "order")
NEWEST_FIRST, OLDEST_FIRST = "-created", "created"

# unique: a parameter of create ---------------------------------------------------------------------------------------

UNIQUE_KINDS = (TAG, WEBSITE, ANCHOR, PERSON)
"""Kinds whose create and create_many take `unique=true`."""

# many: a request for several materials or associations ---------------------------------------------------------------

MAX_ITEMS = 500
"""Seeds or pairs of one request."""


def create_many_route(kind: Kind) -> Route:
    """Return the route that creates several materials."""
    return Route("POST", f"/{kind.plural}/create_many", kind.route("create").query)


def associate_many_route(kind: Kind, *, present: bool) -> Route:
    """Return the route that associates several materials of a kind with others, or ends that."""
    return Route("POST", f"/{kind.plural}/{'associate' if present else 'disassociate'}_many")


# query: materials that meet conditions --------------------------------------------------------------------------------

Type = Literal["text", "number", "boolean", "moment"]
Form = Literal["is", "is_not", "one_of", "after", "before", "from", "to", "contains", "startswith"]

_EQUALITY: tuple[Form, ...] = ("is", "is_not", "one_of")
_BOUNDS: tuple[Form, ...] = ("after", "before", "from", "to")
FORMS: Mapping[Type, tuple[Form, ...]] = MappingProxyType(
    {
        "text": (*_EQUALITY, *_BOUNDS, "contains", "startswith"),
        "number": (*_EQUALITY, *_BOUNDS),
        "boolean": _EQUALITY,
        "moment": (*_EQUALITY, *_BOUNDS),
    }
)
"""By type of a key, the forms of conditions that the server decides."""

RELATION_FORMS = ("any", "labels", "empty")
"""Forms of conditions on a relation."""
LABELLED_KINDS = (TAG, WEBSITE)
"""Kinds whose materials `labels` names: tags by their text, websites by their url."""

CREATED_KEY, UPDATED_KEY = "created.value", "updated.value"
"""The keys of the dates of a material."""
LANGUAGE_KEY = "original.reference.classification.specific"
"""The one key of an asset that is not its own, and is decided all the same: the language, which its format has."""

MAX_CONDITIONS = 100
"""Conditions of a query, those within others counted."""
MAX_DEPTH = 10
"""Levels of `any_of` and `not` within each other."""
MAX_VALUES = 900
"""Values, ids and labels of a query."""


def _relation_keys() -> Iterator[tuple[str, str, str]]:
    for row in (*ASSOCIATIONS, *HIERARCHY):
        yield row.owner.name, row.relation, row.wire
    for link in LINKS:
        yield link.owner.name, link.relation, link.many
        yield link.member.name, link.one, link.one
    for single in ("anchor", "asset", "conversation", "person", "summary"):
        yield ANNOTATION.name, single, single
    # An asset has one format, which is both.
    for single in ("original", "preview"):
        yield ASSET.name, single, "formats"


_RELATION_KEYS = {(kind, relation): key for kind, relation, key in _relation_keys()}


def relation_key(kind: Kind, relation: str) -> str | None:
    """Return the key, in documents of a kind, of a relation that conditions may name; None: they may not name it."""
    return _RELATION_KEYS.get((kind.name, relation))


def query_route(kind: Kind) -> Route:
    """Return the route of queries."""
    return Route("POST", f"/{kind.plural}/query")


def names_in(header: str) -> frozenset[str]:
    """Return the extensions that a header names."""
    return frozenset(filter(None, (name.strip() for name in header.split(","))))
