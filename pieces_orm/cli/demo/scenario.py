"""The story of the demo: files become materials, materials are associated, found, and renamed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ... import filters
from ...collection.assets import Hit
from ...entities import Anchor, Asset, Tag, Website, WorkstreamEvent, WorkstreamSummary
from ...orm.entity import Entity
from ...session import Session
from ...values import AnchorType, Trigger
from ..terminal import Screen, count, shown
from .created import Ledger
from .input_files import Source, Sources
from .watcher import WATCHED, Listener

T = TypeVar("T", bound=Entity)
AT_ONCE = 20  # associations between two looks at whether somebody wants to stop
HITS_SHOWN = 3


class Story:
    """One run on one server. `tell` makes materials and leaves them; the ledger knows which."""

    def __init__(
        self,
        screen: Screen,
        sources: Sources,
        session: Session,
        ledger: Ledger,
        listener: Listener,
        check: Callable[[], None],
    ) -> None:
        self._screen = screen
        self._sources = sources
        self._session = session
        self._ledger = ledger
        self._listener = listener
        self._check = check
        # What was there already, by kind: it is used, and stays.
        self.reused: defaultdict[str, set[str]] = defaultdict(set)
        # Seconds to wait until the other session has heard; a stream of many changes takes its time.
        self.patience = 10 + len(sources.files) / 20
        self._assets: list[tuple[Source, Asset]] = []
        self._anchors: dict[Path, Anchor] = {}
        self._websites: dict[str, Website] = {}
        self._tags: dict[str, Tag] = {}

    def tell(self) -> None:
        """Make, associate, search, rename."""
        self._make_assets()
        self._make_neighbours()
        self._associate_assets()
        self._make_workstream()
        self._search()
        self._rename()

    # Making ----------------------------------------------------------------------------------------------------------

    def _make_assets(self) -> None:
        """Each file an asset; the server finds its language by name and content."""
        with self._screen.step("Creating assets", len(self._sources.files)) as advance:
            for source in self._sources.files:
                self._check()
                self._assets.append((source, self._session.assets.create(source.text, name=source.name)))
                advance()

    def _make_neighbours(self) -> None:
        """Each folder an anchor, each link a website, each language a tag; what is there already is taken."""
        folders, links = self._sources.folders, self._sources.links
        languages = list(dict.fromkeys(asset.language for _, asset in self._assets if asset.language))
        total = len(folders) + len(links) + len(languages)
        with self._screen.step("Creating anchors, websites, tags", total) as advance:
            known = self._known_anchors()
            for folder in folders:
                self._check()
                self._anchors[folder] = self._noted(known.get(str(folder)) or self._new_anchor(folder))
                advance()
            for link in links:
                self._check()
                self._websites[link] = self._noted(self._session.websites.get_or_create(link))
                advance()
            for language in languages:
                self._check()
                self._tags[language] = self._noted(self._session.tags.get_or_create(language))
                advance()

    def _known_anchors(self) -> dict[str, Anchor]:
        """The anchors on the server by path: two requests, where get_or_create would read them all for each folder."""
        points = self._session.anchor_points.all()  # held here, so that reading a path makes no request
        found = {path: anchor for anchor in self._session.anchors.all() if (path := anchor.fullpath) is not None}
        del points
        return found

    def _new_anchor(self, folder: Path) -> Anchor:
        return self._session.anchors.create(folder, type=AnchorType.DIRECTORY, name=folder.name)

    def _noted(self, entity: T) -> T:
        if entity.id not in self._ledger.ids():
            self.reused[entity._schema.kind.name].add(entity.id)
        return entity

    def _make_workstream(self) -> None:
        """The run an event and a summary, each associated with what it is about."""
        self._check()
        files = count(len(self._assets), "file")
        event = self._session.workstream_events.create(
            Trigger(file_open=True), readable=f"pieces-orm demo read {files}"
        )
        models = self._session.models()
        # Without a model in the list the server's own default is asked for, whose error says what is wrong.
        name = f"A run of pieces-orm demo over {files}"
        summary = self._session.summaries.create(name, model=next(iter(models), None))
        neighbours: list[Entity] = [*self._anchors.values(), *self._websites.values(), *self._tags.values()]
        assets = [asset for _, asset in self._assets]
        self._associate_workstream(event, summary, neighbours, assets)

    def _associate_workstream(
        self,
        event: WorkstreamEvent,
        summary: WorkstreamSummary,
        neighbours: Sequence[Entity],
        assets: Sequence[Asset],
    ) -> None:
        for_event, for_summary = _unique(neighbours), _unique([*assets, *neighbours, event])
        with self._screen.step("Associating event and summary", len(for_event) + len(for_summary)) as advance:
            for owner, others in ((event, for_event), (summary, for_summary)):
                for start in range(0, len(others), AT_ONCE):
                    self._check()
                    group = others[start : start + AT_ONCE]
                    owner.associate(*group)
                    for _ in group:
                        advance()

    def _associate_assets(self) -> None:
        """Each asset with its folder's anchor, its links' websites, its language's tag."""
        with self._screen.step("Associating assets", len(self._assets)) as advance:
            for source, asset in self._assets:
                self._check()
                websites = [self._websites[link] for link in source.links]
                tags = [self._tags[asset.language]] if asset.language else []
                asset.associate(*_unique([self._anchors[source.folder], *websites, *tags]))
                advance()

    # Asking and changing ---------------------------------------------------------------------------------------------

    def _search(self) -> None:
        """By a word, and by a word and a language among the run's own assets."""
        self._check()
        word = self._sources.word()
        self._show_hits(f"Search for {word!r}", self._session.assets.search(word))
        languages = [asset.language for _, asset in self._assets if asset.language]
        if languages:
            common = max(sorted(set(languages)), key=languages.count)
            mine = [asset for _, asset in self._assets]
            hits = self._session.assets.search(word, filters=[filters.classification(common)], within=mine)
            self._show_hits(f"Search for {word!r} in {common}, among the files of this run", hits)

    def _show_hits(self, title: str, hits: Sequence[Hit]) -> None:
        best = ", ".join(f"{shown(hit.asset.name or hit.asset.id, 40)} ({hit.score:.2f})" for hit in hits[:HITS_SHOWN])
        self._screen.say(f"{title}: {count(len(hits), 'asset')}{f'; best: {best}' if best else ''}")

    def _rename(self) -> None:
        """One asset gets a new name in this session, and the other session hears of it."""
        self._check()
        mine = self._ledger.of(Asset)
        if not mine:
            return
        # All of them: what is deleted before it was heard of is never told.
        made = [entity.id for cls in WATCHED for entity in self._ledger.of(cls)]
        heard = self._listener.wait("created", made, self.patience)
        self._screen.say(f"The second session heard of {heard} of {count(len(made), 'new material')} by itself.")
        self._check()
        asset = self._session.assets.get(mine[0].id)
        before = asset.name or ""
        path = Path(before)
        asset.name = str(path.with_name(f"{path.stem} (renamed){path.suffix}")) if path.name else "renamed"
        self._screen.say(f"Renaming {shown(repr(before))} to {shown(repr(asset.name))}.")
        asset.save()
        self._listener.wait("changed", [asset.id], self.patience, field="name")


def _unique(entities: Sequence[T]) -> list[T]:
    """Each entity once: a server may answer two creations with the same material."""
    return list({entity.id: entity for entity in entities}.values())
