"""The identity of this server and of its user, kept in the database."""

from __future__ import annotations

from typing import Any

from ..settings import Settings
from ..storage.reader import Reader
from ..storage.writer import Writer, new_id
from .ages import this_minute, with_age

OS, USER = "os", "user"


def initialize_database(writer: Writer) -> None:
    """Give a new database its identity and its user."""
    for kind in (OS, USER):
        if not writer.ids(kind):
            writer.create(kind, new_id(), "{}")


def os_id(reader: Reader) -> str:
    """Return the id of this server, which stays with the database."""
    return reader.ids(OS)[0]


def user_id(reader: Reader) -> str:
    """Return the id of this server's user."""
    return reader.ids(USER)[0]


def user_profile(reader: Reader) -> dict[str, Any]:
    """Build the user's profile."""
    row, now = reader.rows(USER)[0], this_minute()
    return {
        "id": row.id,
        "name": "Local user",
        "username": "local",
        "created": with_age(row.created, now),
        "updated": with_age(row.updated, now),
        "aesthetics": {"theme": {"dark": False}, "font": {"size": 14}},
    }


def signed_in(settings: Settings) -> bool:
    """Tell whether the user is signed in: without a cloud always, unless the settings say otherwise."""
    return settings.user == "local"
