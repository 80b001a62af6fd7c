"""The collection of assets: search, drafts, recommendations, formats, streams of whole assets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, ParamSpec

import attrs
import msgspec
from attrs import frozen

from ..documents import answers, decoding
from ..documents.document import malformed
from ..entities import Asset, Format
from ..errors import InvalidValueError
from ..model.seed import Seed
from ..orm import creating, loading, reading, upserting
from ..orm.context import Context
from ..orm.entity import Entity
from ..values import Arrivals, Engine, Interaction, Progress, SearchMatch
from ..values.languages import as_language
from ..wire import kinds, routes
from . import asset_search, files
from .arguments import (
    check_callable,
    check_flag,
    existing,
    flags,
    listed,
    with_seed_signature,
)
from .base import Collection

if TYPE_CHECKING:
    from ..filters import Filter

P = ParamSpec("P")
C = ParamSpec("C")


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
        return creating.create(self._context, Asset, upserting.with_entities(self._context, [self._seed]))[0]


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
        query, tags, filters = asset_search.checked_search(query, tags, filters)
        asked = flags(transferables=transferables, pseudo=pseudo)
        filtered = bool(filters) or within is not None or case_sensitive or any("," in tag for tag in tags)
        asset_search.check_engine(engine, query_alone=bool(query) and not (filtered or tags))
        route, body = asset_search.ENGINES.get(engine, routes.ASSETS_SEARCH), None
        parameters = {"query": query, "searchable_tags": ",".join(tags) or None, **asked}
        if filtered:
            route, parameters = routes.ASSETS_SEARCH_FILTERS, asked
            ids = None if within is None else [each.id for each in existing("within", within, Asset, self._context)]
            body = asset_search.filter_body(query, tags, filters, ids, case_sensitive=case_sensitive)
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
                seed=attrs.evolve(seed, body=drafted),
                context=self._context,
            )
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise malformed(data, self._kind.name, "", error, "draft") from error

    def create_from_file(
        self, path: str | PathLike[str], *, encoding: str | None = None, upsert: bool = False, **kwargs: Any
    ) -> Asset:
        """Create an asset from a file, named after it; or update the one that was made of it before.

        Requests: those of `create`; with `upsert` those of `create_many`.

        Args:
            path: of the file.
            encoding: of the file; None: a text when it is UTF-8, else its bytes.
            upsert: as for `create_many`.
            kwargs: further arguments of `create`.

        Raises:
            InvalidValueError: the file is not of the encoding, or an argument cannot be used. Nothing was sent.
            OSError: the file cannot be read.
            SeveralFoundError, UnsupportedOperationError: as for `create_many`.
        """
        check_flag("upsert", upsert)
        file = files.read("create_from_file", path, encoding, kwargs)
        if upsert:
            return self._upsert("create_from_file", [file], None)[0]
        return self._create(self._seeds("create_from_file", ((), file.as_given)))[0]

    def create_many(
        self,
        items: Iterable[Any],
        *,
        encoding: str | None = None,
        upsert: bool = False,
        progress: Progress | None = None,
    ) -> list[Asset]:
        """Create several assets, of contents or files; all arguments are checked before anything is sent.

        Requests: those of `create` for each, a few at a time. With `upsert`, one GET of the anchors, or a query of the
        embedded server, and one batch read for each 50 anchors and assets of these files; those of `save` for each that
        has changed, and of `create` for each that is new; none that writes when nothing has changed.

        Args:
            items: for each asset its content, a path object for a file, or a mapping of the arguments of `create` by
                name, whose `content` may be a path object.
            encoding: of the files; None: a text when it is UTF-8, else its bytes.
            upsert: make one asset of each file, however often this is called. A new asset is associated with the anchor
                of the file's absolute path. Later calls find there the one that this application has made, and update
                its text; its other fields and associations stay.
            progress: called with how many are made or up to date and how many there are, after each.

        Raises:
            TypeError, InvalidValueError: an argument is missing, unknown, or of another type. Nothing was sent.
            OSError: a file cannot be read. Nothing was sent.
            SeveralFoundError: this application has made several assets of a file. Nothing was written.
            UnsupportedOperationError: a file that is no text has changed, which no route can save. Nothing was written.
            BatchError: some were not made or updated; `succeeded` has the ids of those that were.
        """
        check_callable("progress", progress)
        check_flag("upsert", upsert)
        given = files.read_items("create_many", items, encoding, only_files=upsert)
        if upsert:
            return self._upsert("create_many", given, progress)
        return super().create_many(
            [each.as_given if isinstance(each, files.File) else each for each in given], progress=progress
        )

    def _upsert(self, call: str, given: Sequence[files.File], progress: Progress | None) -> list[Asset]:
        seeds = self._seeds(call, *(((), each.with_anchor) for each in given))
        return files.upsert(self._context, given, seeds, progress)

    def recommended(self, assets: Sequence[Asset] = (), interactions: Sequence[Interaction] = ()) -> list[Asset]:
        """Return assets that go with what somebody has looked at.

        Requests: one GET /assets/recommended, with a body.

        Args:
            assets: what was looked at.
            interactions: how, paired with the assets by position.

        Raises:
            InvalidValueError: more interactions than assets, or something else. UsageError: another session's asset.
        """
        assets = existing("recommended", assets, Asset, self._context)
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
        return self._asked(routes.ASSETS_RELATED, _page(existing("related", assets, Asset, self._context)))

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
        [asset] = existing("formats", [asset], Asset, self._context)
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
