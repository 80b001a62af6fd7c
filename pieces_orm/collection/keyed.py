"""Collections of kinds that people name by natural keys: tags, websites, anchors and persons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, ParamSpec, TypeVar

from ..model.natural_key import NaturalKey
from ..model.state import State
from ..orm import loading, natural_keys, reading, upserting
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

        Requests: one POST for tags and websites; one GET of the collection for anchors and persons.

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
        found = self._find(value)
        return self.get(found[0].id, None) if found and "exists" in self._kind.routes else next(iter(found), None)

    def _find(self, value: Any) -> list[E]:
        text = self._key.checked("value", value)
        return list(natural_keys.find(self._context, self._class, [text]).values())

    @property
    def _key(self) -> NaturalKey:
        assert self._class._natural_key is not None, "these collections are made for kinds with natural keys"
        return self._class._natural_key

    def get_or_create(self, value: str | PathLike[str], **kwargs: Any) -> E:
        """Return the one with this natural key, created when there is none.

        Requests: those of `find`, or those of `exists` and of `create`.

        Args:
            value: as for `find`.
            kwargs: further arguments of `create`; what exists stays as it is.

        Raises:
            TypeError, InvalidValueError: `create` takes no such arguments. Nothing was sent.
            SeveralFoundError: several persons have this name.
        """
        key = self._key
        item = {**key.as_argument(key.checked("value", value)), **kwargs}
        [found] = self._get_or_create("get_or_create", [item])
        return found if found.state is State.LOADED else self.get(found.id)

    def get_or_create_many(self, items: Iterable[Any], *, progress: Progress | None = None) -> list[E]:
        """Return those with these natural keys, in order, those that are missing created.

        Requests: those of `exists` for each, a few at a time, or one GET of the collection for many; one batch read for
        each 50; those of `create` for each that is missing.

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
        found = self._get_or_create("get_or_create_many", given, progress)
        return loading.load_missing(self._context, found)

    def _get_or_create(
        self, call: str, given: Sequence[Mapping[str, Any]], progress: Progress | None = None
    ) -> list[E]:
        key, where = self._key, f"{self._kind.collection}.{call}()"
        texts = [key.in_arguments(where, each) for each in given]
        seeds = dict(zip(texts, self._seeds(call, *(((), each) for each in given)), strict=True))
        found = upserting.get_or_create(self._context, self._class, seeds, progress)
        return [found[text] for text in texts]
