"""The materials that a run of the demo created, so that it deletes exactly these."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypeVar

from ... import Anchor, Asset, Entity, PiecesError, Session, State, Tag, Website, WorkstreamEvent, WorkstreamSummary
from ..errors import report
from ..terminal import Terminal, count

E = TypeVar("E", bound=Entity)
KINDS: tuple[type[Entity], ...] = (Asset, Anchor, Website, Tag, WorkstreamEvent, WorkstreamSummary)

_short = reprlib.Repr()
_short.maxstring = 60


def label(entity: Entity) -> str:
    """Return the entity's name in quotes, or its id if nothing more is known of it."""
    for field in ("name", "text", "url", "readable"):
        with suppress(PiecesError):
            if value := getattr(entity, field, None):
                return _short.repr(value)
    return entity.id


class Created:
    """The materials that a session creates from now on.

    A server may answer a creation with a material that it had before; such a material is left out.

    Requests: one for the ids of each kind.
    """

    def __init__(self, session: Session) -> None:
        self.entities: list[Entity] = []
        self._session = session
        self._known = {id for cls in KINDS for id in session[cls].ids()}
        session.signals.created.connect(self._add)

    def _add(self, _: Any, *, entity: Entity, origin: str, **__: Any) -> None:
        if origin == "local" and entity.id not in self._known:
            self._known.add(entity.id)
            self.entities.append(entity)

    def of(self, *kinds: type[E]) -> list[E]:
        """Return the materials of some kinds."""
        return [entity for entity in self.entities if isinstance(entity, kinds)]

    def delete_all(self, terminal: Terminal) -> list[Entity]:
        """Delete everything, newest first, and report and return what may be left.

        Requests: one POST for each material, then one GET of the ids of each kind.
        """
        left = self.entities
        try:
            for entity in terminal.track(self.entities[::-1], "Deleting what was created"):
                with suppress(PiecesError):  # the ids tell afterwards what is left
                    entity.delete()
            left = [entity for cls in KINDS for entity in self._remaining(cls)]
        except BaseException:
            # A second Ctrl-C: the user does not want to wait for more requests.
            left = [entity for entity in self.entities if entity.state is not State.DELETED]
            raise
        finally:
            _report("could not be deleted, or not verified as deleted", left)
        return left

    def _remaining(self, cls: type[Entity]) -> list[Entity]:
        try:
            ids = set(self._session[cls].ids())
        except PiecesError:
            return self.of(cls)
        return [entity for entity in self.of(cls) if entity.id in ids]

    def report_strays(self) -> None:
        """Report what a request whose answer was lost may have created; that is too uncertain to delete it.

        Requests: one for the ids of each kind, and those of `get_many` for what is new.
        """
        with suppress(PiecesError):
            for cls in KINDS:
                collection = self._session[cls]
                new = [id for id in collection.ids() if id not in self._known]
                _report("appeared meanwhile and may be from this demo", collection.get_many(new, missing="skip"))


def _report(problem: str, entities: Sequence[Entity]) -> None:
    if entities:
        report(f"{count(len(entities), 'material')} {problem}:")
    for entity in entities:
        report(f"- {entity._schema.kind.name} {label(entity)} {entity.id}")
