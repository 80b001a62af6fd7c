"""Natural keys of seeds, and the materials that have them already."""

from __future__ import annotations

import re

from sqlalchemy import func, or_

from ...wire.kinds import ANCHOR, ANCHOR_POINT, PERSON, Kind
from ..json_values import object_in
from ..storage.json_keys import key_value
from ..storage.reader import BY_AGE, Page, Reader, Selection
from ..storage.tables import material
from .materials import related_ids
from .relations import end_of
from .seeds import LABELS, Seed, normal_path

# Texts that JSON never writes in another way.
_PLAIN = re.compile(r"[A-Za-z0-9 @.,_+-]+")
_PERSON_DETAILS = ("basic", "platform")
_PERSON_KEYS = [
    key_value(f"type.{details}.{name}", "text") for details in _PERSON_DETAILS for name in ("name", "email")
]


def find_existing(reader: Reader, kind: Kind, seed: Seed) -> str | None:
    """Return the id of the material that has the natural key of a checked seed; of several, the first created.

    That of a tag is its text, of a website its url, of an anchor the path of any of its points, of a person an
    e-mail address, or without one the name.
    """
    if kind is ANCHOR:
        return _anchor_at(reader, normal_path(seed["fullpath"]))
    if kind is PERSON:
        return _person_named(reader, seed)
    row = reader.labelled(kind.name, seed[LABELS[kind.name]])
    return None if row is None else row.id


def _anchor_at(reader: Reader, path: str) -> str | None:
    found = []
    for point in reader.all_labelled(ANCHOR_POINT.name, path):
        for id in related_ids(reader, end_of(ANCHOR_POINT, "anchor"), ANCHOR_POINT, point.id):
            row = reader.row(ANCHOR.name, id)
            found += [(row.created, id)] if row is not None else []
    return min(found, default=("", None))[1]


def _person_named(reader: Reader, seed: Seed) -> str | None:
    details = [object_in(object_in(seed, "type"), name) for name in _PERSON_DETAILS]
    values = (each.get(name) for name in ("email", "name") for each in details)
    named = next((value for value in values if isinstance(value, str) and value), None)
    if named is None:
        return None
    tests = [or_(*(key == named for key in _PERSON_KEYS))]
    if _PLAIN.fullmatch(named):
        # Nearly all persons are passed over without a look into their JSON.
        tests.insert(0, func.instr(material.c.document, named) > 0)
    return next(iter(reader.selected_ids(PERSON.name, Selection(tests=tests), Page(1, order=BY_AGE))), None)
