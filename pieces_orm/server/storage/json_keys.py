"""Keys of stored documents in statements: read by SQLite where it reads them as Python does, else by Python."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, case, func, literal_column
from sqlalchemy.types import Text

from ...values.structs import in_utc
from ..json_values import stored_object
from .tables import material
from .timestamps import timestamp

KeyType = Literal["text", "number", "boolean", "moment"]

_TOO_LARGE = 2**63
_PYTHON_KEY, _MOMENT = "pieces_orm_key", "pieces_orm_moment"
# Older versions of SQLite end a text at an escaped NUL, and none reads an object that is nested very deeply.
_IS_READABLE = (func.instr(material.c.document, literal_column("'\\u0000'")) == 0) & (
    func.json_valid(material.c.document) == 1
)
_SQLITE_TYPES = {"text": ("text",), "number": ("integer", "real"), "boolean": ("true", "false"), "moment": ("text",)}
_PYTHON_TYPES = {"text": (str,), "number": (int, float), "boolean": (bool,), "moment": (str,)}


def add_functions(connection: sqlite3.Connection) -> None:
    """Make the functions of these statements known to a connection."""
    connection.create_function(_PYTHON_KEY, 3, _key_in, deterministic=True)
    connection.create_function(_MOMENT, 1, moment_text, deterministic=True)


def key_value(path: str, type: KeyType) -> ColumnElement[Any]:
    """Select the value of a key; NULL where it is absent, null, or of another type.

    Args:
        path: the names that lead to the key, with dots between them: letters, digits and underscores.
        type: of the value; a moment is compared as a text of our own form, and a boolean is 0 or 1.
    """
    document = material.c.document
    in_sqlite, in_python = _literal(f"$.{_quoted(path)}"), _literal(path)
    is_of_type = func.json_type(document, in_sqlite).in_([_literal(each) for each in _SQLITE_TYPES[type]])
    found = case(
        (_IS_READABLE, case((is_of_type, func.json_extract(document, in_sqlite)))),
        else_=getattr(func, _PYTHON_KEY)(document, in_python, _literal(type)),
    )
    return getattr(func, _MOMENT)(found, type_=Text) if type == "moment" else found


def _literal(text: str) -> ColumnElement[str]:
    """Write a text into a statement, which has only so many parameters; it has no quotes."""
    return literal_column(f"'{text}'")


def _quoted(path: str) -> str:
    return ".".join(f'"{name}"' for name in path.split("."))


def _key_in(document: str, path: str, type: str) -> str | float | None:
    value: Any = stored_object(document)
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, _PYTHON_TYPES[type]) or (isinstance(value, bool) and type != "boolean"):
        return None
    return value if isinstance(value, str) else as_number(value)


def as_number(value: float) -> float:
    """Return a number as SQLite has it: whole ones of more than 64 bits become the nearest others."""
    try:
        return value if isinstance(value, float) or abs(value) < _TOO_LARGE else float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def moment_text(text: str | None) -> str | None:
    """Return a date in the form in which dates are compared; None for what is no date."""
    try:
        return timestamp(in_utc(msgspec.convert(text, datetime)))
    except (msgspec.ValidationError, OverflowError):
        return None
