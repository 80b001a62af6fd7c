"""Collections of kinds that people name by natural keys: tags, websites, anchors and persons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, ParamSpec, TypeVar

from ..errors import InvalidValueError
from ..model.natural_key import NaturalKey
from ..orm import merging, natural_keys, reading, upserting
from ..orm.entity import Entity
from ..values import Progress
from ..wire.paths import has_id_form
from . import arguments
from .searchable import SearchableCollection

E = TypeVar("E", bound=Entity)
P = ParamSpec("P")
C = ParamSpec("C")


class KeyedCollection(SearchableCollection[E, P, C]):
    """Everything that one can ask of a kind with a natural key."""

    def __contains__(self, other: object) -> bool:
        """Tell whether the server has a material: an entity of this session, an id, or a natural key.

        A text in the form of a UUID is an id; other texts and path objects are natural keys.

        Requests: one GET; for a natural key those of `exists`.
        """
        return bool(self._find(other)) if self._is_key(other) else super().__contains__(other)

    def _is_key(self, value: object) -> bool:
        return self._key.takes(value) and not (isinstance(value, str) and has_id_form(value))

    def __getitem__(self, id: str | PathLike[str]) -> E:
        """Return the entity with this id, or with this natural key, fresh.

        Requests: those of `get`; for a natural key those of `find`.

        Raises:
            NotFoundError: there is none; it is a KeyError too.
        """
        if isinstance(id, str) and not self._is_key(id):
            return self.get(id)
        found = self.find(id)
        if found is None:
            name = self._kind.collection
            message = f"None of the {name} has the {self._key.label} {id!r}; {name}.get(id) takes any id."
            raise reading.missing(self._kind, message, 404)
        return found

    def exists(self, value: str | PathLike[str]) -> bool:
        """Tell whether there is one with this natural key: text (tags), url (websites), path (anchors), name (persons).

        Requests: one POST for tags and websites; for anchors and persons one POST of a query on the embedded server,
        and one batch read of the anchors that have the path; elsewhere one GET of the collection.

        Args:
            value: the key itself; unlike elsewhere, a text in the form of a UUID is one too.
        """
        return bool(self._find(value))

    def find(self, value: str | PathLike[str]) -> E | None:
        """Return the one with this natural key, fresh, or None; never creates it. Of several the oldest is returned.

        Requests: those of `exists`; for tags and websites one GET more.

        Args:
            value: as for `exists`; of a person, the e-mail address or the name.

        Raises:
            SeveralFoundError: several persons have this name; pass an e-mail address, or one of the candidates.
        """
        return next(iter(self._find(value, fresh=True)), None)

    def _find(self, value: Any, *, fresh: bool = False) -> list[E]:
        text = self._key.checked(self._kind.collection, value)
        return list(natural_keys.find(self._context, self._class, [text], fresh=fresh).values())

    @property
    def _key(self) -> NaturalKey:
        assert self._class._natural_key is not None, "these collections are made for kinds with natural keys"
        return self._class._natural_key

    def get_or_create(self, value: str | PathLike[str], **kwargs: Any) -> E:
        """Return the one with this natural key, created when there is none.

        Calls at once, by threads and by other programs that use this package, make one material.

        Requests: on the embedded server one POST, and for the names of persons those of `find` besides; elsewhere those
        of `exists`, then one GET; or, if there is none, those of `create`, and one GET of the collection to see whether
        others made one at the same time, of which the oldest stays.

        Args:
            value: as for `find`.
            kwargs: further arguments of `create`; what exists stays as it is.

        Raises:
            TypeError, InvalidValueError: `create` takes no such arguments. Nothing was sent.
            SeveralFoundError: several persons have this name.
        """
        key, call = self._key, f"{self._kind.collection}.get_or_create()"
        item = {**key.as_argument(key.checked(call, value)), **kwargs}
        return self._get_or_create("get_or_create", [item])[0]

    def get_or_create_many(self, items: Iterable[Any], *, progress: Progress | None = None) -> list[E]:
        """Return those with these natural keys, in order, those that are missing created.

        Requests: on the embedded server those of `create_many`; elsewhere those of `exists` for each, a few at a time,
        or one GET of the collection for more than 16; one batch read for each 50; those of `create` for each that is
        missing, and one GET of the collection after that.

        Args:
            items: for each material its natural key, or a mapping of the arguments of `create` by name.
            progress: called with how many are created and how many are missing, after each.

        Raises:
            TypeError, InvalidValueError: an item cannot be used. Nothing was sent.
            BatchError: some were not created.
        """
        arguments.check_callable("progress", progress)
        key, call = self._key, f"{self._kind.collection}.get_or_create_many()"
        given = [
            each if isinstance(each, Mapping) else key.as_argument(key.checked(call, each))
            for each in arguments.listed(call, items, ", with an item for each material")
        ]
        return self._get_or_create("get_or_create_many", given, progress)

    def _get_or_create(
        self, call: str, given: Sequence[Mapping[str, Any]], progress: Progress | None = None
    ) -> list[E]:
        key, where = self._key, f"{self._kind.collection}.{call}()"
        texts = [key.in_arguments(where, each) for each in given]
        seeds = dict(zip(texts, self._seeds(call, *(((), each) for each in given)), strict=True))
        found = upserting.get_or_create(self._context, self._class, seeds, progress, fresh=True)
        return [found[text] for text in texts]

    def merge(
        self, into: E | str | PathLike[str], other: E | str | PathLike[str], *, progress: Progress | None = None
    ) -> E:
        """Move every association of one material to another, delete the first, and return the one that is left.

        If it breaks off, call it again: what was moved stays moved, and the rest is done. For tags and websites.

        Requests: one GET for each of the two, before and after; one POST for each association, a few at a time; one
        POST to delete the other. Those of `find` for natural keys.

        Args:
            into: the one that stays; an entity, an id, or its natural key.
            other: the one that is deleted.
            progress: called with how many associations are moved and how many there are, after each.

        Raises:
            UnsupportedOperationError: this kind cannot be merged. Nothing was sent.
            InvalidValueError: the two are one.
            NotFoundError: nothing has a natural key. Nothing was changed.
            BatchError: some associations were not moved; the other is not deleted.
        """
        arguments.check_callable("progress", progress)
        merging.check_kind(self._class)
        name = f"{self._kind.collection}.merge()"
        kept, merged = arguments.existing(name, [into, other], self._class, self._context)
        if kept is merged:
            message = f"{name} takes two different {self._kind.collection}, not {kept!r} twice."
            raise InvalidValueError(message)
        merging.merge(self._context, kept, merged, progress)
        return kept
