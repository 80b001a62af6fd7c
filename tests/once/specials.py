"""Edits that are more than a field of one document, such as those of an asset's contents and description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from attrs import frozen


@frozen
class Special:
    """An edit of a material, and what it does besides.

    Attributes:
        kind: that of the material.
        act: what is done, with the entity (or with its note, see `by_note`).
        fields: those of the material that change.
        note: what becomes of the annotation that describes the asset; None: it has none.
        by_note: it is the annotation that is edited.
        part: the fields of the asset's format that change; None: it does not.
    """

    kind: str
    act: Callable[[Any], object]
    fields: frozenset[str]
    note: Literal["created", "changed", "deleted"] | None = None
    by_note: bool = False
    part: frozenset[str] | None = None

    @property
    def is_described(self) -> bool:
        """True if there is a description before."""
        return self.note in ("changed", "deleted")


def _saves(field: str, value: Any) -> Callable[[Any], object]:
    def act(entity: Any) -> None:
        setattr(entity, field, value)
        entity.save()

    return act


_DESCRIPTION = frozenset({"description"})
_CONTENTS = frozenset({"bytes", "text", "updated"})
_LANGUAGE = frozenset({"classification", "updated"})
SPECIALS = {
    "asset:text": Special("asset", _saves("text", "y = 23"), frozenset({"text", "updated"}), part=_CONTENTS),
    "asset:language": Special(
        "asset", _saves("language", "js"), frozenset({"classification", "language", "updated"}), part=_LANGUAGE
    ),
    "asset:description made": Special("asset", _saves("description", "edited"), _DESCRIPTION, note="created"),
    "asset:description changed": Special("asset", _saves("description", "edited"), _DESCRIPTION, note="changed"),
    "asset:description removed": Special("asset", _saves("description", None), _DESCRIPTION, note="deleted"),
    "asset:describing annotation": Special(
        "asset", _saves("text", "edited"), _DESCRIPTION, note="changed", by_note=True
    ),
    "anchor:rename": Special("anchor", lambda anchor: anchor.rename(), frozenset({"name", "updated"})),
    "conversation:rename": Special("conversation", lambda talk: talk.rename(), frozenset({"name", "updated"})),
}
