"""What a run made on a server, so that exactly this can be deleted, and nothing that was there before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from ...entities import Anchor, Asset, Tag, Website, WorkstreamEvent, WorkstreamSummary
from ...errors import PiecesError
from ...model.state import State
from ...orm.entity import Entity
from ...session import Session
from ..terminal import Screen, count, shown

KINDS: tuple[type[Entity], ...] = (Asset, Anchor, Website, Tag, WorkstreamEvent, WorkstreamSummary)


def label(entity: Entity) -> str:
    """What people call a material, from what is known of it: no request is made for it."""
    if entity._state.document is not None:
        for name in ("name", "text", "url", "readable"):
            spec = entity._schema.fields.get(name)
            if spec is not None and entity._state.document.get(spec.wire) is not None:
                return shown(repr(getattr(entity, name)))
    return entity.id


class Ledger:
    """The materials that a session creates from now on.

    Requests: one for the ids of each kind. A server may answer a creation with what it has already; that is not ours.
    """

    def __init__(self, session: Session) -> None:
        self.made: list[Entity] = []
        self.deleted: Counter[str] = Counter()
        self._session = session
        self._there = {cls: frozenset(session[cls].ids()) for cls in KINDS}
        session.signals.created.connect(self._created)

    def _created(self, cls: type[Entity], *, entity: Entity, origin: str, **_: Any) -> None:
        if origin == "local" and entity.id not in self._there.get(cls, ()):
            self.made.append(entity)

    def ids(self) -> set[str]:
        """The ids of all that was made."""
        return {entity.id for entity in self.made}

    def of(self, cls: type[Entity]) -> list[Entity]:
        """What was made of a kind."""
        return [entity for entity in self.made if type(entity) is cls]

    def strays(self) -> list[Entity]:
        """What has appeared on the server and is not in the ledger: others made it, or a lost answer told of it.

        Requests: one for the ids of each kind, and one for each of what appeared.
        """
        mine = self.ids()
        new = {cls: [id for id in self._session[cls].ids() if id not in self._there[cls] | mine] for cls in KINDS}
        return [entity for cls, ids in new.items() for entity in self._session[cls].get_many(ids, missing="skip")]

    def clean(self, screen: Screen) -> list[Entity]:
        """Delete all that was made, the newest first, and ask the server whether it is gone; what is left is told.

        Requests: one POST and one GET for each.
        """
        left = list(reversed(self.made))
        try:
            with screen.step("Deleting what was made", len(left)) as advance:
                for entity in reversed(self.made):
                    self._delete(entity)
                    advance()
            with screen.step("Asking whether it is gone", len(left)) as advance:
                for entity in reversed(self.made):
                    if self._is_gone(entity):
                        left.remove(entity)
                        self.deleted[entity._schema.kind.name] += 1
                    advance()
        except BaseException:
            # A second Ctrl-C: nobody has asked about these, but their deletion was answered.
            left = [entity for entity in left if entity.state is not State.DELETED]
            raise
        finally:
            if left:
                screen.note(f"{count(len(left), 'material')} could not be deleted, or not be asked for:")
                _list(screen, left)
        return left

    def note_strays(self, screen: Screen) -> None:
        """Say what may have been made by a request whose answer was lost: it is not certain enough to delete it."""
        with suppress(PiecesError):
            strays = self.strays()
            if strays:
                screen.note(f"{count(len(strays), 'material')} appeared meanwhile that this demo may have made:")
                _list(screen, strays)

    def _delete(self, entity: Entity) -> None:
        with suppress(PiecesError):  # whether it is gone after all is asked afterwards, and told
            entity.delete()

    def _is_gone(self, entity: Entity) -> bool:
        try:
            return self._session[type(entity)].get(entity.id, None) is None
        except PiecesError:
            return False


def _list(screen: Screen, entities: Iterable[Entity]) -> None:
    for entity in entities:
        screen.note(f"  {entity._schema.kind.name} {label(entity)} {entity.id}")
