"""The demo's scenario: turn files into materials, associate them, search, and rename one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from attrs import define, field

from ... import Anchor, Asset, Entity, Hit, Session, Tag, Website, filters
from ...values import Trigger
from ..terminal import Terminal, count
from .created import Created, label
from .input_files import Input, search_word
from .watcher import WATCHED, Watcher

T = TypeVar("T")
HITS_SHOWN = 3


@define
class Scenario:
    """One run on one server. `play` creates materials and leaves them there; `created` knows which they are."""

    terminal: Terminal
    input: Input
    session: Session
    created: Created
    watcher: Watcher
    check: Callable[[], None]
    assets: list[Asset] = field(factory=list)
    anchors: dict[Path, Anchor] = field(factory=dict)
    websites: dict[str, Website] = field(factory=dict)
    tags: dict[str, Tag] = field(factory=dict)

    @property
    def neighbours(self) -> list[Entity]:
        """The anchors, websites and tags, each once: a server may answer two creations with the same material."""
        return list(dict.fromkeys([*self.anchors.values(), *self.websites.values(), *self.tags.values()]))

    def play(self) -> None:
        """Create, associate, search and rename."""
        self.create_assets()
        self.create_neighbours()
        self.associate_assets()
        self.create_workstream()
        self.search()
        self.rename()

    def create_assets(self) -> None:
        """Turn each file into an asset; the server detects its language."""
        for file in self._track(self.input.files, "Creating assets"):
            self.assets.append(self.session.assets.create(file.text, name=file.name))

    def create_neighbours(self) -> None:
        """Turn each folder into an anchor, each link into a website, each language into a tag; reuse existing ones."""
        session = self.session
        points = session.anchor_points.all()  # held here, so that reading a path makes no request
        existing = {anchor.fullpath: anchor for anchor in session.anchors.all()}
        del points
        folders = [file.path.parent for file in self.input.files]
        links = [link for file in self.input.files for link in file.links]
        languages = [asset.language for asset in self.assets if asset.language]
        self.anchors = {
            folder: existing.get(str(folder)) or session.anchors.create(folder, name=folder.name)
            for folder in self._track(folders, "Creating anchors")
        }
        self.websites = {link: session.websites.get_or_create(link) for link in self._track(links, "Creating websites")}
        self.tags = {text: session.tags.get_or_create(text) for text in self._track(languages, "Creating tags")}

    def associate_assets(self) -> None:
        """Associate each asset with its folder's anchor, its links' websites and its language's tag."""
        for asset, file in self._track(zip(self.assets, self.input.files, strict=True), "Associating assets"):
            websites = dict.fromkeys(self.websites[link] for link in file.links)
            tags = [self.tags[asset.language]] if asset.language else []
            asset.associate(self.anchors[file.path.parent], *websites, *tags)

    def create_workstream(self) -> None:
        """Turn the run into a workstream event and a summary, associated with what they are about."""
        files = count(len(self.input.files), "file")
        readable = f"pieces-orm demo read {files}"
        event = self.session.workstream_events.create(Trigger(file_open=True), readable=readable)
        summary = self.session.summaries.create(f"A run of pieces-orm demo over {files}")
        pairs: list[tuple[Entity, Entity]] = [(event, other) for other in self.neighbours]
        pairs += [(summary, other) for other in (*self.assets, *self.neighbours, event)]
        for entity, other in self._track(pairs, "Associating event and summary"):
            entity.associate(other)

    def search(self) -> None:
        """Search for a word, then for the same word in one language among the assets of this run."""
        word = search_word(self.input.files)
        self._show_hits(f"Search for {word!r}", self.session.assets.search(word))
        languages = Counter(asset.language for asset in self.assets if asset.language)
        for language, _ in languages.most_common(1):
            hits = self.session.assets.search(word, filters=[filters.classification(language)], within=self.assets)
            self._show_hits(f"Search for {word!r} in {language} among the files of this run", hits)

    def rename(self) -> None:
        """Rename an asset, and wait until the second session has received everything."""
        # A material that is deleted before it is received is never reported.
        new = [entity.id for entity in self.created.of(*WATCHED)]
        received = self.watcher.wait("created", new)
        self.terminal.say(f"The second session received {received} of {count(len(new), 'new material')} by itself.")
        self.check()
        for asset in self.created.of(Asset)[:1]:
            before = label(asset)
            path = Path(asset.name or "asset")
            asset.name = str(path.with_name(f"{path.stem} (renamed){path.suffix}"))
            self.terminal.say(f"Renaming {before} to {label(asset)}.")
            asset.save()
            self.watcher.wait("changed", [asset.id], field="name")

    def _track(self, items: Iterable[T], title: str) -> Iterator[T]:
        """Yield each item once while a bar moves, and stop between two of them when the user wants to."""
        for item in self.terminal.track(list(dict.fromkeys(items)), title):
            self.check()
            yield item

    def _show_hits(self, title: str, hits: Sequence[Hit]) -> None:
        best = ", ".join(f"{label(hit.asset)} ({hit.score:.2f})" for hit in hits[:HITS_SHOWN])
        self.terminal.say(f"{title}: {count(len(hits), 'asset')}{f'; best: {best}' if best else ''}")
