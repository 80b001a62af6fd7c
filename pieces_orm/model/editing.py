"""Blocks of code that set fields of one entity, each on its thread, and which of them has set what.

A field that a block sets is a layer over the edit that it replaced. So a block that fails takes away its own layers
only, and a save can leave out those of blocks that are open on other threads.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock, get_ident
from typing import Generic, TypeVar

import attrs

T = TypeVar("T")


@attrs.define(eq=False)
class Block:
    """An open block, and the thread that entered it."""

    thread: int = attrs.field(factory=get_ident)


@attrs.define(eq=False)
class _Layer(Generic[T]):
    """A field that a block has set, and the edit that this replaced."""

    block: Block
    name: str
    before: T | None


class Editing(Generic[T]):
    """The open blocks of one entity and their layers, from the lowest up; used under the session's lock.

    `saving` is a lock of its own, held during the requests of a save: a save sends the whole document, so that of two
    at a time the second would undo what the first has sent.
    """

    def __init__(self) -> None:
        self.saving = RLock()
        self._blocks: list[Block] = []
        self._layers: list[_Layer[T]] = []

    @property
    def is_open(self) -> bool:
        """True if any thread is in a block."""
        return bool(self._blocks)

    def enter(self) -> Block:
        """Open a block of this thread, inside those that it has open."""
        block = Block()
        self._blocks.append(block)
        return block

    def note_set(self, name: str, before: T | None) -> None:
        """Take note that this thread sets a field, whose edit was `before`."""
        block = self._innermost(get_ident())
        if block is None:
            self.forget(name)
        elif (top := self._below(name, len(self._layers))) is None or top.block is not block:
            self._layers.append(_Layer(block, name, before))

    def is_set_elsewhere(self, name: str) -> bool:
        """Tell whether an open block of another thread has set a field."""
        return any(each.name == name and each.block.thread != get_ident() for each in self._layers)

    def without_others(self, edits: Mapping[str, T], thread: int) -> dict[str, T]:
        """Return the edits without what open blocks of other threads than this one have set."""
        found, own = dict(edits), set()
        for layer in reversed(self._layers):
            if layer.block.thread == thread:
                own.add(layer.name)
            elif layer.name not in own:
                _put(found, layer.name, layer.before)
        return found

    def leave(self, block: Block) -> bool:
        """Close a block whose edits stay; True if it was the outermost of its thread."""
        self._blocks.remove(block)
        outer = self._innermost(block.thread)
        for layer in self._layers_of(block):
            below = self._below(layer.name, self._layers.index(layer))
            if outer is None:
                self._drop_up_to(layer)
            elif below is not None and below.block is outer:
                self._layers.remove(layer)
            else:
                layer.block = outer
        return outer is None

    def undo(self, block: Block, edits: Mapping[str, T]) -> dict[str, T]:
        """Close a block that failed, and return the edits without what it has set."""
        self._blocks.remove(block)
        found = dict(edits)
        for layer in reversed(self._layers_of(block)):
            place = self._layers.index(layer)
            above = next((each for each in self._layers[place + 1 :] if each.name == layer.name), None)
            if above is None:
                _put(found, layer.name, layer.before)
            else:
                above.before = layer.before
            del self._layers[place]
        return found

    def forget(self, name: str) -> None:
        """Forget who has set a field: nobody will take that back any more."""
        self._layers = [each for each in self._layers if each.name != name]

    def note_saved(self, name: str, edit: T) -> None:
        """Take note that an edit was saved which a later one has replaced."""
        for layer in [each for each in self._layers if each.name == name and each.before is edit]:
            layer.before = None
            below = self._below(name, self._layers.index(layer))
            if below is not None:
                self._drop_up_to(below)

    def _innermost(self, thread: int) -> Block | None:
        return next((each for each in reversed(self._blocks) if each.thread == thread), None)

    def _layers_of(self, block: Block) -> list[_Layer[T]]:
        return [each for each in self._layers if each.block is block]

    def _below(self, name: str, place: int) -> _Layer[T] | None:
        return next((each for each in reversed(self._layers[:place]) if each.name == name), None)

    def _drop_up_to(self, layer: _Layer[T]) -> None:
        """Drop a layer and those of the same field below it, which it hides."""
        place = self._layers.index(layer)
        self._layers[: place + 1] = [each for each in self._layers[: place + 1] if each.name != layer.name]


def _put(edits: dict[str, T], name: str, edit: T | None) -> None:
    if edit is None:
        edits.pop(name, None)
    else:
        edits[name] = edit
