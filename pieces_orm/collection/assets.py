"""The collection of assets: search, drafts, recommendations, formats, streams of whole assets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import attrs
import msgspec
from attrs import frozen

from .. import filters
from ..documents import answers, decoding
from ..documents.document import malformed
from ..entities import Asset, Format
from ..errors import InvalidValueError
from ..model.seed import Seed
from ..orm import creating, loading, reading
from ..orm.context import Context
from ..orm.entity import Entity
from ..values import Arrivals, Engine, Interaction, SearchMatch
from ..values.checking import plain_text
from ..values.languages import as_language
from ..wire import kinds, routes
from ..wire.paths import checked_id
from .arguments import (
    check_callable,
    flags,
    listed,
    listed_entities,
    listed_texts,
    with_seed_signature,
)
from .base import Collection

if TYPE_CHECKING:
    from ..filters import Filter

P = ParamSpec("P")
C = ParamSpec("C")
_ENGINES: dict[str, kinds.Route] = {"full_text": routes.SEARCH_FULL_TEXT, "neural": routes.SEARCH_NEURAL}


@frozen
class Hit:
    """A search result: the asset, its score, whether it matches exactly, and where the words were."""

    asset: Asset
    score: float
    exact: bool
    match: SearchMatch


@frozen
class Draft:
    """The server's proposal for a content: nothing is stored before `create()`."""

    name: str | None
    language: str | None
    tags: tuple[str, ...]
    websites: tuple[str, ...]
    text: str | None
    _seed: Seed = attrs.field(repr=False, eq=False)
    _context: Context = attrs.field(repr=False, eq=False)

    def create(self) -> Asset:
        """Store the draft as it is.

        Requests: one POST /assets/create, and one for each entity that the draft was given.
        """
        return creating.create(self._context, Asset, [self._seed])[0]


def _language_of(content: Mapping[str, Any]) -> str | None:
    ext = (content.get("metadata") or {}).get("ext")
    return as_language(ext) if isinstance(ext, str) else None


class AssetCollection(Collection[Asset, P, C]):
    """Everything that one can ask of assets."""

    def all(
        self,
        *,
        transferables: bool | None = None,
        suggested: bool | None = None,
        pseudo: bool | None = None,
        progress: Arrivals | None = None,
    ) -> list[Asset]:
        """Return all assets.

        Requests: one GET /assets.

        Args:
            transferables: whether contents come with them; None leaves it to the server.
            suggested, pseudo: whether suggested and pseudo assets are among them; None leaves it to the server.
            progress: called with how many have come and how many there are, None as long as that is not known.
        """
        check_callable("progress", progress)
        query = flags(transferables=transferables, suggested=suggested, pseudo=pseudo)
        return loading.snapshot(self._context, self._class, query, progress)

    def ids(self, *, pseudo: bool | None = None) -> tuple[str, ...]:
        """Return the ids of all assets; makes no entities.

        Requests: one GET /assets/identifiers.

        Args:
            pseudo: whether pseudo assets are among them; None leaves it to the server.
        """
        return self._ids(flags(pseudo=pseudo))

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

        Requests: one GET or POST to a search route; those of `get_many` for assets that the answer names without their
        documents and that are not loaded.

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
        query, tags, filters = _checked_search(query, tags, filters)
        asked = flags(transferables=transferables, pseudo=pseudo)
        filtered = bool(filters) or within is not None or case_sensitive or any("," in tag for tag in tags)
        _check_engine(engine, query_alone=bool(query) and not (filtered or tags))
        route, body = _ENGINES.get(engine, routes.ASSETS_SEARCH), None
        parameters = {"query": query, "searchable_tags": ",".join(tags) or None, **asked}
        if filtered:
            route, parameters = routes.ASSETS_SEARCH_FILTERS, asked
            ids = None if within is None else _ids_of(within, self._context)
            body = _filter_body(query, tags, filters, ids, case_sensitive=case_sensitive)
        parameters = {name: value for name, value in parameters.items() if name in route.query}
        from . import search_results  # noqa: PLC0415 a program that searches nothing does without it

        with self._context.history.request() as number:
            data = self._context.connection.call(route, query=parameters, body=body, repeatable=True)
            results = bytes(answers.one_key(data, "results", "asset")) if filtered else data
            found = search_results.matches(results, self._kind.name)
            pairs = search_results.entities_of(self._context, Asset, found, number, contents=transferables is not False)
        hits = [Hit(asset, match.score, match.exact, SearchMatch(match.match)) for match, asset in pairs]
        return sorted(hits, key=lambda hit: (not hit.exact, -hit.score))

    @with_seed_signature
    def draft(self, *args: P.args, **kwargs: P.kwargs) -> Draft:
        """Ask the server to propose name, language, tags and websites for a content; nothing is stored.

        Requests: one POST /assets/draft.
        """
        seed = self._seeds("draft", (args, kwargs))[0]
        data = self._context.connection.call(
            routes.ASSET_DRAFT, query=dict(seed.query), body=decoding.encode_given(seed.body)
        )
        try:
            drafted = msgspec.json.decode(data, type=dict[str, Any])
            asset = drafted["asset"]
            content = asset["format"].get("fragment") or asset["format"].get("file") or {}
            about = asset.get("metadata") or {}
            return Draft(
                name=about.get("name"),
                language=_language_of(content),
                tags=tuple(tag["text"] for tag in about.get("tags") or ()),
                websites=tuple(site["url"] for site in about.get("websites") or ()),
                text=(content.get("string") or {}).get("raw"),
                seed=Seed(drafted, seed.query, seed.associate),
                context=self._context,
            )
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise malformed(data, self._kind.name, "", error, "draft") from error

    def create_from_file(self, path: str | Path, *args: Any, **kwargs: Any) -> Asset:
        """Create an asset from a file: a text when it is UTF-8, else its bytes; named after the file.

        Requests: those of `create`.

        Args:
            path: of the file.
            args, kwargs: as for `create`.
        """
        if not isinstance(path, str | Path):
            message = f"create_from_file takes a path, not {path!r}."
            raise InvalidValueError(message)
        file = Path(plain_text("path", path) if isinstance(path, str) else path)
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
        """Return assets that go with what somebody has looked at.

        Requests: one GET /assets/recommended, with a body.

        Args:
            assets: what was looked at.
            interactions: how, paired with the assets by position.

        Raises:
            InvalidValueError: more interactions than assets, or something else. UsageError: another session's asset.
        """
        assets = listed_entities("recommended", assets, Asset, self._context)
        interactions = listed("interactions", interactions, " of values.Interaction")
        for each in interactions:
            if not isinstance(each, Interaction):
                message = f"interactions takes values.Interaction, not {each!r}."
                raise InvalidValueError(message)
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
        """Return assets that have much in common with these.

        Requests: one GET /assets/related, with a body.

        Args:
            assets: what to find relatives of.

        Raises:
            InvalidValueError: one is no asset. UsageError: one is of another session.
        """
        return self._asked(routes.ASSETS_RELATED, _page(listed_entities("related", assets, Asset, self._context)))

    def _asked(self, route: kinds.Route, body: dict[str, Any]) -> list[Asset]:
        with self._context.history.request() as number:
            data = self._context.connection.call(route, body=decoding.encode(body))
            return loading.adopt_page(self._context, Asset, data, number)

    def pseudo(self) -> list[Asset]:
        """Return the pseudo assets only.

        Requests: one GET /assets/pseudo; those of `get_many` for assets that are not loaded.
        """
        data = self._context.connection.call(routes.ASSETS_PSEUDO)
        identifiers = answers.optional_key(data, "identifiers", "asset")
        ids = () if identifiers is None else answers.member_ids(identifiers, "asset")
        return loading.load_missing(self._context, [self.ref(id) for id in ids])

    def formats(self, asset: Asset, *, transferables: bool | None = None) -> list[Format]:
        """Return the formats of an asset, fresh.

        Requests: one GET /assets/{asset}/formats.

        Args:
            asset: whose formats.
            transferables: whether contents come with them; None leaves it to the server.

        Raises:
            InvalidValueError: this is no asset. UsageError: it is of another session.
        """
        [asset] = listed_entities("formats", [asset], Asset, self._context)
        query = flags(transferables=transferables)
        with self._context.history.request() as number:
            data = self._context.connection.call(routes.ASSET_FORMATS, {"asset": asset.id}, query)
            contents = reading.has_contents(query)
            return loading.adopt_page(self._context, Format, data, number, contents=contents)

    def stream(self, *, transferables: bool | None = None) -> Iterator[list[Asset]]:
        """Iterate over whole assets as they change, the assets of one frame at a time; ends when the session closes.

        Requests: one WebSocket, /assets/stream or /assets/stream/transferables.

        Args:
            transferables: True: with contents.

        Raises:
            TransportError: the stream cannot be opened. AnswerTooLargeError: a frame is larger than `max_answer`.
        """
        from ..sync.raw_frames import frames  # noqa: PLC0415 nobody who reads no stream pays for it

        route = routes.ASSETS_STREAM_CONTENTS if transferables else routes.ASSETS_STREAM
        # Opened here: what is wrong is said by the call, and changes are received from now on.
        opened = frames(self._context, route)
        return (self._adopt_frame(number, frame, bool(transferables)) for number, frame in opened)

    def _adopt_frame(self, number: int, frame: bytes, contents: bool) -> list[Asset]:
        assets = loading.adopt_page(self._context, Asset, frame, number, contents=contents)
        for asset in assets:
            if not asset._state.applied:
                asset.expire()  # it waited long: what it says may be history, so it is asked for when it is read
        return assets


def _page(assets: Sequence[Entity]) -> dict[str, Any]:
    return {"iterable": [msgspec.Raw(asset.to_json().encode()) for asset in assets]}


def _checked_search(query: Any, tags: Any, given: Any) -> tuple[str | None, list[str], list[Filter]]:
    if not isinstance(query, str | None):
        message = f"query takes words, not {query!r}."
        raise InvalidValueError(message)
    words = None if query is None else plain_text("query", query)
    found = listed_texts("tags", tags), listed("filters", given, " of values of pieces_orm.filters")
    for each in found[1]:
        if not isinstance(each, filters.Filter):
            message = f"filters takes values of pieces_orm.filters, such as filters.tags('moon'), not {each!r}."
            raise InvalidValueError(message)
    if not ((words or "").strip() or any(found)):
        message = "A search needs a query, tags or filters."
        raise InvalidValueError(message)
    return words, *found


def _check_engine(engine: Any, *, query_alone: bool) -> None:
    """Raise when there is no such engine, or when it cannot do such a search.

    Raises:
        InvalidValueError: so it is.
    """
    if not isinstance(engine, str) or engine not in ("fuzzy", *_ENGINES):
        message = f"engine takes 'fuzzy', 'full_text' or 'neural', not {engine!r}."
        raise InvalidValueError(message)
    if engine in _ENGINES and not query_alone:
        message = (
            f"The engine {engine!r} takes a query and nothing else: leave out tags, filters, within and "
            "case_sensitive, or use engine='fuzzy'."
        )
        raise InvalidValueError(message)


def _ids_of(within: Any, context: Context) -> list[str]:
    found = listed("within", within, " of assets or ids")
    listed_entities("within", [each for each in found if not isinstance(each, str)], Asset, context)
    return [checked_id(each) if isinstance(each, str) else each.id for each in found]


def _filter_body(
    query: str | None, tags: Sequence[str], given: Sequence[Filter], ids: list[str] | None, *, case_sensitive: bool
) -> bytes:
    """Return the body of a search with filters; the wire does misspell `identifers`."""
    every = [*given, *([filters.tags(*tags)] if tags else [])]
    body = {
        "query": query,
        "filters": {"iterable": [decoding.plain(each.wire) for each in every]} if every else None,
        "casing": True if case_sensitive else None,
        "space": None if ids is None else {"identifers": {"iterable": [{"id": id} for id in ids]}},
    }
    return decoding.encode_given(body)
