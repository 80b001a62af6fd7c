"""A server, a session that watches, another program, and the lists of what the watching session tells."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pieces_orm
from pieces_orm.server import Server, Settings
from tests.support import Heard

from .cells import ARGUMENTS, CLASSES, EDITS, NEEDS, PARTS, ROWS, UNWATCHED, Cell, Style, Track, create
from .expectations import Event
from .fence import POLLS, Fence
from .specials import SPECIALS


class Stage:
    """One style of documents; `run` does everything on some tracks, then `told` has each cell's events.

    `strays` are events about materials that nobody touched at that time.

    Args:
        style: of the documents.
        scoped: whether both are scopes of one session, which watches, instead of two programs.
    """

    def __init__(self, style: Style, *, scoped: bool = False) -> None:
        self._scoped = scoped
        self._server = Server(settings=Settings(embed_relations=style == "nested"))
        self._families = style == "families"
        # By id: the track and the role of a material there.
        self._roles: dict[str, tuple[Track, str]] = {}
        self._there: dict[Track, dict[str, Any]] = defaultdict(dict)
        self._here: dict[Track, dict[str, Any]] = defaultdict(dict)
        self._shared: dict[str, Any] = {}
        self.told: dict[Cell, list[Event]] = {}
        self.strays: list[tuple[Any, ...]] = []

    def run(self, tracks: Iterable[Track]) -> None:
        """Do each track's operations: all first ones, then all second ones."""
        tracks = list(tracks)
        with (
            self._server,
            pieces_orm.connect(self._server.url) as session,
            session.scope() if self._scoped else pieces_orm.connect(self._server.url) as self._other,
            session.scope() if self._scoped else session as self._watching,
        ):
            for track in tracks:
                self._prepare(track)
            self._load(tracks)
            kinds = set().union(*(track.concerns for track in tracks))
            with session.watch(*(CLASSES[kind] for kind in kinds - UNWATCHED)) as watch:
                watch.wait_live()
                self._heard = Heard(self._watching)
                self._fence = Fence(self._heard, self._other, kinds)
                phases = list(itertools.zip_longest(*(track.operations for track in tracks)))
                for phase in phases:
                    cells = [Cell(track, each) for track, each in zip(tracks, phase, strict=True) if each]
                    self._do_all(cells, polls=POLLS if phase is phases[-1] else 2)

    # Materials -------------------------------------------------------------------------------------------------------

    def _note(self, track: Track, role: str, entity: Any) -> Any:
        self._roles[entity.id] = track, role
        return entity

    def _prepare(self, track: Track) -> None:
        """Let the other program create the materials of a track; those of later phases have a role with "old"."""
        there = self._there[track]
        if track.is_association:
            row = ROWS[track.subject]
            there |= {"owner": self._made(row.owner.name), "other": self._made(row.other.name)}
        else:
            kind = track.kind
            if track.subject in ARGUMENTS:
                there["argument"] = self._made(ARGUMENTS[track.subject][2])
            if kind in NEEDS:
                there["needed"] = create(self._other, NEEDS[kind])
            if track.subject in SPECIALS:
                there |= self._special(track)
            elif "delete" in track.operations:
                if kind in NEEDS:
                    there["old needed"] = create(self._other, NEEDS[kind])
                there |= self._made_with_parts(track, self._other, "old ")
        for role, entity in there.items():
            self._note(track, role, entity)

    def _made(self, kind: str) -> Any:
        """Let the other program create a material; what it needs is shared, and touched before anybody watches."""
        if kind == "format":
            return self._made("asset").original
        if kind in NEEDS and NEEDS[kind] not in self._shared:
            self._shared[NEEDS[kind]] = create(self._other, NEEDS[kind])
        return create(self._other, kind, self._shared.get(NEEDS.get(kind, "")))

    def _made_with_parts(self, track: Track, session: Any, old: str = "", **given: Any) -> dict[str, Any]:
        """Create a track's own material, and return it with what comes with it; a format comes with its asset."""
        kind, argument, _, several = ARGUMENTS.get(track.subject, (track.kind, "", "", False))
        if kind == "format":
            asset = create(session, "asset")
            return {f"{old}whole": asset, f"{old}it": session.formats.ref(asset.formats.ids[0])}
        if argument:
            one = self._known(track, session, "argument")
            given[argument] = [one] if several else one
        made = create(session, kind, self._known(track, session, f"{old}needed") if kind in NEEDS else None, **given)
        found = {f"{old}it": made}
        if kind in PARTS:
            [found[f"{old}part"]] = getattr(made, PARTS[kind][0]).refs()
        return found

    def _special(self, track: Track) -> dict[str, Any]:
        special = SPECIALS[track.subject]
        described = {"description": "a description"} if special.is_described else {}
        found = {
            f"old {role}": entity for role, entity in self._made_with_parts(track, self._other, **described).items()
        }
        if described:
            [found["old note"]] = found["old it"].annotations.refs()
        return found

    def _known(self, track: Track, session: Any, role: str) -> Any:
        """Return a track's material in a session: a handle where the session does not hold it."""
        theirs = self._there[track][role]
        if session is self._other:
            return theirs
        return self._here[track].get(role) or session[type(theirs)].ref(theirs.id)

    def _load(self, tracks: list[Track]) -> None:
        """Let the watching session hold what it is to hold, and read the relations that documents leave out."""
        wanted = defaultdict(list)
        for track in tracks:
            for role in (role for role in self._there[track] if _is_held(track, role)):
                wanted[type(self._there[track][role])].append((track, role))
        for cls, places in wanted.items():
            found = self._watching[cls].get_many([self._there[track][role].id for track, role in places])
            for (track, role), entity in zip(places, found, strict=True):
                self._here[track][role] = entity
        for track in tracks:
            if track.subject in SPECIALS and track.kind == "asset" and track.held == "held":
                self._here[track]["old it"].description  # what was never read need not be followed
        if self._families:
            self._read_relations(tracks)

    def _read_relations(self, tracks: list[Track]) -> None:
        ends = defaultdict(list)
        for track in tracks:
            if track.is_association:
                row = ROWS[track.subject]
                relation = CLASSES[row.owner.name]._schema.relations[row.relation]
                for role, each in (("owner", relation), ("other", relation.inverse)):
                    if each is not None and role in self._here[track]:
                        ends[each].append(self._here[track][role])
        for relation, entities in ends.items():
            self._watching.prefetch(entities, relation)

    # Operations ------------------------------------------------------------------------------------------------------

    def _do_all(self, cells: list[Cell], *, polls: int) -> None:
        """Do an operation of each track, and note what is told until it is quiet."""
        before = len(self._heard.events)
        for cell in cells:
            self._do(cell)
        self._fence.wait(polls)
        by_track = {cell.track: cell for cell in cells}
        self.told |= {cell: [] for cell in cells}
        for event in self._heard.events[before:]:
            track, described = self._described(event)
            cell = by_track.get(track)
            if described[1].endswith("whole"):
                continue  # the asset of a format, told of in the rows of assets
            if cell is not None and described[1].startswith("old ") == (cell.operation in ("edit", "score", "delete")):
                self.told[cell].append(_plain(described))
            elif event[2] not in self._fence.markers:
                self.strays.append(event)

    def _do(self, cell: Cell) -> None:
        track, session = cell.track, self._watching if cell.track.who == "own" else self._other
        if cell.operation == "create":
            self._create(track, session)
            return
        if track.is_association:
            owner, other = (self._known(track, session, role) for role in ("owner", "other"))
            related = getattr(owner, ROWS[track.subject].relation)
            (related.add if cell.operation == "associate" else related.remove)(other)
            return
        if track.subject in SPECIALS:
            self._do_special(track, session)
            return
        # A format is edited and deleted by its asset.
        entity = self._known(track, session, "old whole" if track.subject == "format" else "old it")
        if cell.operation == "edit":
            field, value = EDITS[track.subject]
            setattr(entity, field, value)
            entity.save()
        elif cell.operation == "score":
            entity.increment_score("reuse")
        else:
            entity.delete()

    def _do_special(self, track: Track, session: Any) -> None:
        special = SPECIALS[track.subject]
        special.act(self._known(track, session, "old note" if special.by_note else "old it"))
        if special.note == "created":
            [note] = self._other.annotations.latest(1)
            self._note(track, "old note", note)

    def _create(self, track: Track, session: Any) -> None:
        made = self._made_with_parts(track, session)
        for role, entity in made.items():
            self._note(track, role, entity)
        if track.held == "held":
            if track.who == "other":
                # Read at once, whether its report has come or not.
                made = {role: self._watching[type(each)].get(each.id) for role, each in made.items()}
            self._here[track] |= made

    def _described(self, event: tuple[Any, ...]) -> tuple[Track | None, Event]:
        signal, _, id, *details, origin = event
        track, role = self._roles.get(id, (None, "?"))
        detail: Any = None
        if signal == "changed":
            detail = details[0] and frozenset(details[0])
        elif details:
            of, there = self._roles.get(details[1], (None, "?"))
            detail = f"{details[0]} {there if of == track else '?'}"
        return track, (signal, role, detail, origin)


def _plain(event: Event) -> Event:
    signal, role, detail, origin = event
    plain = detail.replace("old ", "") if isinstance(detail, str) else detail
    return signal, role.removeprefix("old "), plain, origin


def _is_held(track: Track, role: str) -> bool:
    one_end = role == "owner" or role.endswith(("argument", "needed"))
    return track.held == "held" or (track.held == "one end" and one_end)
