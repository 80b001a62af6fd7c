"""What only assets have: search, drafts, recommendations, formats, streams of whole assets, and suggestions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec

import attrs
import msgspec
from attrs import frozen

from .. import filters
from ..documents import answers, decoding
from ..documents.document import BROKEN
from ..documents.page_stream import Arrivals
from ..entities import Asset, Format
from ..errors import DecodeError, InvalidValueError
from ..orm import associating, creating
from ..orm.entity import Entity, Seed
from ..values import Interaction, SearchMatch
from ..wire import kinds, routes
from .base import Collection, load_many

if TYPE_CHECKING:
    from ..filters import Filter

P = ParamSpec("P")
Engine = Literal["fuzzy", "full_text", "neural"]
_ENGINES = {"full_text": routes.SEARCH_FULL_TEXT, "neural": routes.SEARCH_NEURAL}


@frozen
class Hit:
    """An asset that a search found, how well it fits, and where the words were."""

    asset: Asset
    score: float
    exact: bool
    match: SearchMatch


@frozen
class Draft:
    """What the server makes of a content before anything is stored; `create()` stores it."""

    name: str | None
    language: str | None
    tags: tuple[str, ...]
    websites: tuple[str, ...]
    text: str | None
    _seed: Seed = attrs.field(repr=False, eq=False)
    _assets: AssetCollection[...] = attrs.field(repr=False, eq=False)

    def create(self) -> Asset:
        """Store the draft as it is.

        Requests: one POST /assets/create, and one for each entity that the draft was given.
        """
        return self._assets.create_from_seed(self._seed)


class _Found(msgspec.Struct):
    identifier: str
    exact: bool = False
    score: float = 0.0
    match: str = "UNKNOWN"
    asset: msgspec.Raw = msgspec.Raw()


class _Results(msgspec.Struct):
    iterable: list[_Found] = []


class AssetCollection(Collection[Asset, P]):
    """Everything that one can ask of assets."""

    def all(
        self,
        *,
        transferables: bool | None = None,
        suggested: bool | None = None,
        pseudo: bool | None = None,
        progress: Arrivals | None = None,
    ) -> list[Asset]:
        """All assets.

        Requests: one GET /assets.

        Args:
            transferables: whether contents come with them; None leaves it to the server.
            suggested, pseudo: whether suggested and pseudo assets are among them; None leaves it to the server.
            progress: called with how many have come and how many there are, None as long as that is not known.
        """
        query = {"transferables": transferables, "suggested": suggested, "pseudo": pseudo}
        return self._snapshot(query, progress)

    def ids(self, *, pseudo: bool | None = None) -> tuple[str, ...]:
        """The ids of all assets; makes no entities.

        Requests: one GET /assets/identifiers.

        Args:
            pseudo: whether pseudo assets are among them; None leaves it to the server.
        """
        return self.query_ids({"pseudo": pseudo})

    def search(
        self,
        query: str | None = None,
        *,
        tags: Sequence[str] = (),
        filters: Sequence[Filter] = (),
        within: Iterable[Asset | str] | None = None,
        engine: Engine = "fuzzy",
        case_sensitive: bool = False,
        transferables: bool | None = None,
        pseudo: bool | None = None,
    ) -> list[Hit]:
        """Find assets, best first, exact ones before suggested ones; an empty list when nothing is found.

        Requests: one GET or POST to a search route, and one GET for each asset that the answer names without its
        document and that is not loaded.

        Args:
            query: words to look for.
            tags: texts of tags; assets with any of them.
            filters: values of `pieces_orm.filters`; all must hold.
            within: assets (or ids) to search among; None: all.
            engine: "fuzzy" forgives typos; "full_text" finds exact words; "neural" is by meaning, where the server can.
            case_sensitive: whether upper and lower case differ.
            transferables: whether contents come with the assets; None leaves it to the server.
            pseudo: whether pseudo assets are found; None leaves it to the server.

        Raises:
            InvalidValueError: neither query nor tags nor filters, or an engine that takes only a query.
        """
        if isinstance(tags, str):
            message = f"tags takes a list of texts, not the text {tags!r}."
            raise InvalidValueError(message)
        if not isinstance(query, str | None):
            message = f"query takes words, not {query!r}."
            raise InvalidValueError(message)
        if not (query or tags or filters):
            message = "A search needs a query, tags or filters."
            raise InvalidValueError(message)
        with self._session.map.request() as number:
            if engine == "fuzzy":
                data = self._by_words(
                    query, tags, filters, within, case_sensitive=case_sensitive, contents=transferables, pseudo=pseudo
                )
            else:
                data = self._by_engine(engine, query, pseudo, plain=not (tags or filters or within is not None))
            return self._hits(data, number, contents=transferables is not False)

    def _by_words(
        self,
        query: str | None,
        tags: Sequence[str],
        filters: Sequence[Filter],
        within: Iterable[Asset | str] | None,
        *,
        case_sensitive: bool,
        contents: bool | None,
        pseudo: bool | None,
    ) -> bytes:
        flags = {"transferables": contents, "pseudo": pseudo}
        if not (filters or within is not None or case_sensitive or any("," in tag for tag in tags)):
            words = {"query": query, "searchable_tags": ",".join(tags) or None}
            return self._session.call(routes.ASSETS_SEARCH, query=words | flags)
        body = decoding.encode_given(_filtered(query, tags, filters, within, case_sensitive=case_sensitive))
        answer = self._session.call(routes.ASSETS_SEARCH_FILTERS, query=flags, body=body, repeatable=True)
        return bytes(answers.one_key(answer, "results", "asset"))

    def _by_engine(self, engine: str, query: str | None, pseudo: bool | None, *, plain: bool) -> bytes:
        if engine not in _ENGINES or not plain or not query:
            message = f"The engine {engine!r} is none of fuzzy, full_text, neural, or was given more than a query."
            raise InvalidValueError(message)
        return self._session.call(_ENGINES[engine], query={"query": query, "pseudo": pseudo})

    def _hits(self, data: bytes, number: int, *, contents: bool) -> list[Hit]:
        try:
            found = msgspec.json.decode(data, type=_Results).iterable
        except BROKEN as error:
            message = f"The answer to a search cannot be read ({error}); it begins {data[:80]!r}."
            raise DecodeError(message, kind="asset") from error
        # Held here: the map alone would let them go before they are handed over.
        held: dict[str, Asset | None] = {}
        for each in found:
            if bytes(each.asset):
                id, document = answers.one(bytes(each.asset), "asset", each.identifier, contents=contents)
                held[id] = self._session.map.adopt(Asset, id, document, number, "refresh")
        assets = load_many(self, [self.ref(each.identifier) for each in found])
        by_id = {asset.id: asset for asset in assets}
        hits = [
            Hit(by_id[each.identifier], each.score, each.exact, SearchMatch(each.match))
            for each in found
            if each.identifier in by_id
        ]
        return sorted(hits, key=lambda hit: (not hit.exact, -hit.score))

    def draft(self, *args: P.args, **kwargs: P.kwargs) -> Draft:
        """What the server makes of a content: its name, language, tags and websites. Nothing is stored.

        Requests: one POST /assets/draft.
        """
        seed = self._planned("draft", (args, kwargs))[0]
        data = self._session.call(routes.ASSET_DRAFT, query=dict(seed.query), body=decoding.encode_given(seed.body))
        try:
            drafted = msgspec.json.decode(data, type=dict[str, Any])
            asset = drafted["asset"]
            content = asset["format"].get("fragment") or asset["format"].get("file") or {}
            about = asset.get("metadata") or {}
            return Draft(
                name=about.get("name"),
                language=(content.get("metadata") or {}).get("ext"),
                tags=tuple(tag["text"] for tag in about.get("tags") or ()),
                websites=tuple(site["url"] for site in about.get("websites") or ()),
                text=(content.get("string") or {}).get("raw"),
                seed=Seed(drafted, seed.query, seed.associate),
                assets=self,
            )
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            message = f"The draft that the server sent cannot be read ({error}); it begins {data[:80]!r}."
            raise DecodeError(message, kind="asset") from error

    def create_from_file(self, path: str | Path, *args: Any, **kwargs: Any) -> Asset:
        """Create an asset from a file: a text when it is UTF-8, else its bytes; named after the file.

        Requests: those of `create`.

        Args:
            path: of the file.
            args, kwargs: as for `create`.
        """
        file = Path(path)
        data = file.read_bytes()
        content: str | bytes
        try:
            content = data.decode("utf-8")
            if "\0" in content:
                content = data
        except UnicodeDecodeError:
            content = data
        create: Any = self.create
        made: Asset = create(content, *args, **{"name": file.name, **kwargs})
        return made

    def recommended(self, assets: Sequence[Asset] = (), interactions: Sequence[Interaction] = ()) -> list[Asset]:
        """Assets that go with what somebody has looked at.

        Requests: one GET /assets/recommended, with a body.

        Args:
            assets: what was looked at.
            interactions: how, paired with the assets by position.

        Raises:
            InvalidValueError: more interactions than assets.
        """
        if len(interactions) > len(assets):
            message = f"{len(interactions)} interactions for {len(assets)} assets: they are paired by position."
            raise InvalidValueError(message)
        paired = [
            {"asset": asset.id, "interactions": decoding.plain(interaction)}
            for asset, interaction in zip(assets, interactions, strict=False)
        ]
        body = {"assets": _page(assets), "interactions": {"iterable": paired}}
        return self._asked(routes.ASSETS_RECOMMENDED, body)

    def related(self, assets: Sequence[Asset]) -> list[Asset]:
        """Assets that have much in common with these.

        Requests: one GET /assets/related, with a body.

        Args:
            assets: what to find relatives of.
        """
        return self._asked(routes.ASSETS_RELATED, _page(assets))

    def _asked(self, route: kinds.Route, body: dict[str, Any]) -> list[Asset]:
        with self._session.map.request() as number:
            data = self._session.call(route, body=decoding.encode(body))
            return self.adopt_page(data, number)

    def pseudo(self) -> list[Asset]:
        """The pseudo assets only.

        Requests: one GET /assets/pseudo, and one GET for each of them that is not loaded.
        """
        data = self._session.call(routes.ASSETS_PSEUDO)
        identifiers = answers.optional_key(data, "identifiers", "asset")
        ids = () if identifiers is None else answers.member_ids(identifiers, "asset")
        return load_many(self, [self.ref(id) for id in ids])

    def formats(self, asset: Asset, *, transferables: bool | None = None) -> list[Format]:
        """The formats of an asset, fresh.

        Requests: one GET /assets/{asset}/formats.

        Args:
            asset: whose formats.
            transferables: whether contents come with them; None leaves it to the server.
        """
        query = {"transferables": transferables}
        with self._session.map.request() as number:
            data = self._session.call(routes.ASSET_FORMATS, {"asset": asset.id}, query)
            contents = associating.has_contents(query)
            return self._session.formats.adopt_page(data, number, contents=contents)

    def stream(self, *, transferables: bool | None = None) -> Iterator[list[Asset]]:
        """Whole assets as they change: each item is what one frame brought. Ends when the session closes.

        Requests: one WebSocket, /assets/stream or /assets/stream/transferables.

        Args:
            transferables: True: with contents.
        """
        route = routes.ASSETS_STREAM_CONTENTS if transferables else routes.ASSETS_STREAM
        for number, frame in self._session.frames(route):
            assets = self.adopt_page(frame, number, contents=bool(transferables))
            for asset in assets:
                if not asset.applied:
                    asset.expire()  # it waited long: what it says may be history, so it is asked for when it is read
            yield assets

    def create_from_seed(self, seed: Seed) -> Asset:
        """Create an asset from a seed that is ready, such as a draft's."""
        return creating.create(self._session, Asset, [seed])[0]


def _page(assets: Sequence[Entity]) -> dict[str, Any]:
    return {"iterable": [msgspec.Raw(asset.to_json().encode()) for asset in assets]}


def _filtered(
    query: str | None,
    tags: Sequence[str],
    given: Sequence[Filter],
    within: Iterable[Asset | str] | None,
    *,
    case_sensitive: bool,
) -> dict[str, Any]:
    """The body of a search with filters; the wire does misspell `identifers`."""
    for each in given:
        if not isinstance(each, filters.Filter):
            message = f"filters takes values of pieces_orm.filters, such as filters.tags('moon'), not {each!r}."
            raise InvalidValueError(message)
    every = [*given, *([filters.tags(*tags)] if tags else [])]
    ids = None if within is None else [each if isinstance(each, str) else each.id for each in within]
    return {
        "query": query,
        "filters": {"iterable": [decoding.plain(each.wire) for each in every]} if every else None,
        "casing": True if case_sensitive else None,
        "space": None if ids is None else {"identifers": {"iterable": [{"id": id} for id in ids]}},
    }
