"""Find materials by their natural keys: among entities, and on the server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from ..concurrency import parallel
from ..concurrency.parallel import Act
from ..documents import answers, decoding
from ..documents.document import reference_id
from ..errors import InvalidValueError, NotFoundError, SeveralFoundError
from ..model.natural_key import Key, NaturalKey
from ..model.record import Record, known_value, readable_ids
from ..model.state import EXPIRED, HANDLE
from ..transport.connection import NoExtensionError
from ..wire.extensions import MAX_VALUES, QUERY, query_route
from ..wire.paths import checked_id, has_id_form
from . import loading, reading, relation_loading
from .context import Context, check_context

R = TypeVar("R", bound=Record)

# Keys of one call that are looked up one by one, where the wire has a route for that; more by one read of all.
MAX_LOOKUPS = 16


def known_keys(field: str) -> Callable[[Record], Collection[str] | None]:
    """Return the function that reads the key of a record from a field, without a request."""

    def known(record: Record) -> Collection[str] | None:
        value = known_value(record, field)
        return (value,) if isinstance(value, str) else None

    return known


# Named materials ------------------------------------------------------------------------------------------------------


def named(context: Context, cls: type[R], value: Any, name: str) -> R | Key:
    """Return what an argument names: an entity, a handle for an id, or a natural key, by the rule of all calls.

    Requests: none.

    Args:
        name: of the call or argument, for messages.

    Raises:
        InvalidValueError: it names no material of this class. UsageError: an entity belongs to another session.
    """
    if isinstance(value, cls):
        check_context(value, context)
        return value
    if isinstance(value, str) and has_id_form(value):
        return context.identity_map.ref(cls, checked_id(value))
    natural = cls._natural_key
    if natural is None or not natural.takes(value):
        message = f"{name} takes {accepted(cls)}, not {value!r}."
        raise InvalidValueError(message)
    return Key(cls, natural.checked(name, value))


def accepted(cls: type[Record]) -> str:
    """Return the words of a message for what names a material of a class."""
    natural, kind = cls._natural_key, cls._schema.kind.collection
    if natural is None:
        return f"{cls.__name__} entities, or ids in the form of a UUID; session.{kind}.ref(id) takes any id"
    return f"{cls.__name__} entities, ids, or the {natural.label} of each"


def no_such_id(cls: type[Record], id: str, error: NotFoundError) -> NotFoundError:
    """Return an error that tells of a text without the form of an id what finds materials by other texts."""
    kind, natural = cls._schema.kind, cls._natural_key
    remedy = "query(...) finds materials by their fields"
    if natural is not None:
        remedy = f"find({id!r}) finds one by its {natural.label}"
    message = f"{error.args[0]} This text does not look like an id: session.{kind.collection}.{remedy}."
    return NotFoundError(message, status=error.status, body=error.body, method=error.method, path=error.path)


# Among entities -------------------------------------------------------------------------------------------------------


def members(context: Context, cls: type[R], entities: Iterable[R], text: str) -> list[R]:
    """Return those of some entities that have a natural key.

    Requests: none when the keys of all are known, or when one that is known is this one; else those of loading the
    others together.
    """
    natural = _declared(cls)
    entities = list(entities)
    keys = [_known(context, each, natural) for each in entities]
    found = [each for each, own in zip(entities, keys, strict=True) if own and text in own]
    unknown = [each for each, own in zip(entities, keys, strict=True) if own is None]
    loaded = [] if found else _load_keys(context, cls, unknown)
    return found or [each for each in loaded if text in (_known(context, each, natural) or ())]


def _declared(cls: type[Record]) -> NaturalKey:
    assert cls._natural_key is not None, "callers look whether the kind has natural keys"
    return cls._natural_key


def _known(context: Context, record: Record, natural: NaturalKey) -> Collection[str] | None:
    """Return the keys of a record as far as they are known without a request; None when they are not."""
    if record._state.state in (HANDLE, EXPIRED):
        return None
    if not natural.through:
        return natural.known(record)
    relation = record._schema.relations[natural.through]
    with context.lock:
        ids = readable_ids(record, relation)
    if ids is None:
        return None
    holders = relation_loading.related_entities(context, record, relation, ids)
    keys = [natural.known(each) for each in holders]
    return None if any(each is None for each in keys) else [key for each in keys for key in each or ()]


def _load_keys(context: Context, cls: type[R], entities: Sequence[R]) -> list[R]:
    """Load entities and what their keys are read from; return those that are there, and their holders, held."""
    natural = _declared(cls)
    missing = [each.id for each in entities if _known(context, each, natural) is None]
    loaded = loading.get_many(context, cls, missing, skip_missing=True) if missing else []
    there = [each for each in entities if each.id not in missing] + loaded
    relations = [cls._schema.relations[natural.through]] if natural.through else []
    return [each for each in relation_loading.prefetch(context, there, relations, None) if isinstance(each, cls)]


# On the server --------------------------------------------------------------------------------------------------------


def look_up(context: Context, cls: type[R], texts: Collection[str]) -> dict[str, list[R]]:
    """Return the materials that have natural keys, by key, the oldest first; keys that none has are left out.

    Requests: one POST of a query where the server has the extension `query`, and one batch read for each 50 that other
    materials have the keys of; else one GET of the collection, without contents, and those of `prefetch` for what the
    keys are read from.
    """
    natural = _declared(cls)
    try:
        there = _query(context, cls, natural, list(texts))
    except NoExtensionError:
        query = reading.contents_query(cls._schema.kind.route("all"), transferables=False)
        there = loading.snapshot(context, cls, query, None)
    there = _load_keys(context, cls, there)
    found: dict[str, list[R]] = {}
    for each in there:
        for text in set(_known(context, each, natural) or ()).intersection(texts):
            found.setdefault(text, []).append(each)
    return {text: sorted(each, key=age) for text, each in found.items()}


def _query(context: Context, cls: type[R], natural: NaturalKey, texts: Sequence[str]) -> list[R]:
    """Let the server choose the materials that have keys.

    Raises:
        NoExtensionError: it cannot.
    """
    if not context.connection.offers(QUERY):
        raise NoExtensionError
    relation = cls._schema.relations[natural.through] if natural.through else None
    holder: Any = cls if relation is None else relation.target
    found: list[Any] = []
    size = MAX_VALUES // len(natural.paths)
    for start in range(0, len(texts), size):
        some = texts[start : start + size]
        tests = [{"key": path, "type": "text", "one_of": some} for path in natural.paths]
        body = decoding.encode({"where": [{"any_of": tests}], "answer": "documents"})
        with context.history.request() as number:
            data = context.connection.call(
                query_route(holder._schema.kind), body=body, repeatable=True, extension=QUERY
            )
            found += loading.adopt_page(context, holder, data, number, contents=False)
    if relation is None or relation.inverse is None:
        return found
    back = relation.inverse
    ids = dict.fromkeys(id for each in found for id in relation_loading.related_ids(context, each, back))
    return loading.get_many(context, cls, list(ids), skip_missing=True) if ids else []


def age(entity: Any) -> tuple[Any, str]:
    """Return the place of an entity among those with the same key: the oldest is the one that stays."""
    return entity.created, entity.id


def find(context: Context, cls: type[R], texts: Sequence[str], *, fresh: bool = False) -> dict[str, R]:
    """Return the materials that have natural keys, by key; keys that none has are left out.

    Requests: one POST to the exists route for each, a few at a time, where the wire has it and the keys are few; else
    those of `look_up`.

    Args:
        fresh: read them too, where their ids are all that an answer has said; those of `get_many`.

    Raises:
        SeveralFoundError: several materials have a key that they may share, such as the name of a person.
    """
    wanted = list(dict.fromkeys(texts))
    if not wanted:
        return {}
    if "exists" in cls._schema.kind.routes and len(wanted) <= MAX_LOOKUPS:
        found = _ask_each(context, cls, wanted)
        return _read(context, cls, found) if fresh else found
    return {text: only(cls, text, found) for text, found in look_up(context, cls, wanted).items()}


def _ask_each(context: Context, cls: type[R], texts: Sequence[str]) -> dict[str, R]:
    kind, ids = cls._schema.kind, dict[str, str]()
    route = kind.route("exists")

    def ask(text: str) -> Act:
        yield
        data = context.connection.call(route, body=decoding.encode({"value": text}), repeatable=True)
        found = answers.optional_key(data, kind.name, kind.name)
        yield
        if found is not None:
            ids[text] = reference_id(found, kind.name)

    if len(texts) == 1:
        parallel.do(ask(texts[0]))
    else:
        errors = parallel.do_all(texts, ask, concurrency=context.concurrency)
        parallel.raise_failed(texts, errors, str, "looked up")
    return {text: context.identity_map.ref(cls, id) for text, id in ids.items()}


def _read(context: Context, cls: type[R], found: dict[str, R]) -> dict[str, R]:
    """Read materials; those that are gone by now are left out."""
    ids = list(dict.fromkeys(each.id for each in found.values()))
    if len(ids) > 1:
        there = {each.id for each in loading.get_many(context, cls, ids, skip_missing=True)}
        return {text: each for text, each in found.items() if each.id in there}
    with suppress(NotFoundError):
        return {text: loading.get(context, cls, each.id) for text, each in found.items()}
    return {}


def only(cls: type[R], text: str, found: Sequence[R]) -> R:
    """Return the one of several materials that a natural key names: the oldest, where only one should have the key.

    Raises:
        SeveralFoundError: several have it rightly.
    """
    if len(found) > 1 and _declared(cls).is_shared(text):
        kind = cls._schema.kind.collection
        message = f"{len(found)} {kind} have the {_declared(cls).label} {text!r}; pass one of them: {_listed(found)}."
        raise SeveralFoundError(message, ids=[each.id for each in found])
    return found[0]


def _listed(entities: Sequence[Record]) -> str:
    shown = ", ".join(map(repr, entities[:10]))
    return f"{shown} and {len(entities) - 10} more" if len(entities) > 10 else shown


def existing(context: Context, values: Sequence[R | Key], among: Callable[[], Iterable[R]] | None = None) -> list[R]:
    """Return the entities that a call names, none of which it creates.

    Args:
        among: return the entities that natural keys are looked for among; None: all on the server.

    Raises:
        NotFoundError: no material has a key. SeveralFoundError: several have it.
    """
    keys = list(dict.fromkeys(each for each in values if isinstance(each, Key)))
    found: dict[Key, R] = {}
    if among is not None and keys:
        candidates = list(among())
        for key in keys:
            matching = members(context, key.cls, candidates, key.text)
            if len(matching) > 1:
                message = f"{len(matching)} of them have {key.text!r}; pass one of them: {_listed(matching)}."
                raise SeveralFoundError(message, ids=[each.id for each in matching])
            if matching:
                found[key] = matching[0]
    else:
        for cls in dict.fromkeys(key.cls for key in keys):
            texts = [key.text for key in keys if key.cls is cls]
            found.update({Key(cls, text): each for text, each in find(context, cls, texts).items()})
    missing = [key for key in keys if key not in found]
    if missing:
        raise _nothing(missing)
    return [found[each] if isinstance(each, Key) else each for each in values]


def _nothing(missing: Sequence[Key]) -> NotFoundError:
    kind, natural = missing[0].cls._schema.kind, _declared(missing[0].cls)
    texts = ", ".join(repr(each.text) for each in missing[:10])
    message = f"None of these {kind.collection} has the {natural.label} {texts}. Nothing was changed."
    return reading.missing(kind, message, 404)
