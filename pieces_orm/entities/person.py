"""Persons: authors, contacts, accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..model.fields import field, readonly
from ..model.seed import Seed, references
from ..orm.context import Context
from ..orm.entity import Entity, entity
from ..orm.relations import Many
from ..values import BasicPerson, Mechanisms, PersonAccess, PersonType, Score
from ..wire import kinds

if TYPE_CHECKING:
    from . import (
        Anchor,
        Annotation,
        Asset,
        ConversationMessage,
        Source,
        Tag,
        Website,
        WorkstreamEvent,
        WorkstreamSummary,
    )


@entity(kinds.PERSON)
class Person(Entity):
    """A person whom materials name."""

    type: PersonType = field()
    access: Mapping[str, PersonAccess] | None = readonly()
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
        asset: Asset | None = None,
        anchors: Sequence[Anchor] = (),
        transferables: bool | None = None,
    ) -> Seed:
        """What creates a person.

        Args:
            name, email, username, url, picture: what is known; at least one.
            access: what the person may do.
            asset, anchors: what the person is associated with.
            transferables: whether the answer carries contents; None leaves it to the server.

        Raises:
            ValueError: nothing is known of the person.
        """
        basic = BasicPerson(name=name, email=email, username=username, url=url, picture=picture)
        if basic == BasicPerson():
            message = "A person needs one of name, email, username, url, picture."
            raise ValueError(message)
        body = {
            "type": PersonType(basic=basic),
            "access": access,
            "asset": None if asset is None else asset.id,
            "anchors": references(anchors),
        }
        return Seed(body, {"transferables": transferables})
