"""Persons: authors, contacts and accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from ..errors import InvalidValueError
from ..model.record import Record, known_value
from ..values import BasicPerson, Mechanisms, PersonAccess, PersonType, Score
from ..values.checking import nonempty_text, page_address
from ..wire import kinds
from .declaring import Context, Entity, Many, NaturalKey, Seed, collections_of, entity, field, ids_of, readonly

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


def _names(person: Record) -> list[str] | None:
    known = known_value(person, "type")
    if not isinstance(known, PersonType):
        return None
    details = (known.basic, known.platform)
    return [text for each in details if each is not None for text in (each.name, each.email) if text]


@entity(kinds.PERSON)
class Person(Entity):
    """A person whom materials mention: an author, a contact or an account."""

    type: PersonType = field(doc="What is known of the person: basic details, or a Pieces account.")
    access: Mapping[str, PersonAccess] | None = readonly(doc="What the person may do with each asset, by asset id.")
    interactions: int | None = readonly()
    mechanisms: Mechanisms | None = readonly()
    created: datetime = readonly()
    updated: datetime = readonly()
    deleted: datetime | None = readonly()
    score: Score | None = readonly()
    anchors = Many["Anchor"](wire="anchors", back="persons")
    annotations = Many["Annotation"](wire="annotations", back="persons")
    assets = Many["Asset"](wire="assets", back="persons")
    messages = Many["ConversationMessage"](wire="messages", back="persons")
    persons = Many["Person"](wire="persons", back="persons", explicit=True)
    sources = Many["Source"](wire="sources", back="persons")
    summaries = Many["WorkstreamSummary"](wire="summaries", back="persons")
    tags = Many["Tag"](wire="tags", back="persons")
    websites = Many["Website"](wire="websites", back="persons")
    workstream_events = Many["WorkstreamEvent"](wire="workstream_events", back="persons")

    _natural_key = NaturalKey(
        "name or e-mail address",
        ("type.basic.name", "type.basic.email", "type.platform.name", "type.platform.email"),
        known=_names,
        arguments=("email", "name"),
        argument=lambda text: "email" if "@" in text else "name",
        is_shared=lambda text: "@" not in text,
    )

    @staticmethod
    def _seed(
        context: Context,
        *,
        name: str | None = None,
        email: str | None = None,
        username: str | None = None,
        url: str | None = None,
        picture: str | None = None,
        access: PersonAccess | None = None,
        asset: str | Asset | None = None,
        anchors: Sequence[str | PurePath | Anchor] = (),
        transferables: bool | None = None,
    ) -> Seed:
        """Compose the seed of a person.

        Args:
            name, email, username, url, picture: the details that are known, at least one.
            access: what the person may do.
            asset, anchors: materials to associate with the person.
            transferables: whether the answer carries contents; None lets the server decide.

        Raises:
            InvalidValueError: no detail is given, or one is empty or no address.
        """
        for key, text in (("name", name), ("email", email), ("username", username), ("picture", picture)):
            if text is not None:
                nonempty_text(key, text)
        address = None if url is None else page_address("url", url)
        basic = BasicPerson(name=name, email=email, username=username, url=address, picture=picture)
        if basic == BasicPerson():
            message = "A person needs at least one of name, email, username, url and picture."
            raise InvalidValueError(message)
        body = {"type": PersonType(basic=basic), "access": access, **ids_of(asset), **collections_of(anchors)}
        return Seed(body, {"transferables": transferables})
