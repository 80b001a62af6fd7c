"""Shares: links that show assets to others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..errors import InvalidValueError
from ..values import Access, Accessor, Score
from ..wire import kinds
from .declaring import Context, Entity, Many, One, Seed, entity, field, readonly

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.SHARE)
class Share(Entity):
    """A link that shows assets to others."""

    name: str | None = field(doc="The part of the link that was chosen by hand.")
    access: Access = field(doc="Who may open the link: PUBLIC or PRIVATE.")
    link: str = readonly(doc="The address at which the assets are shown.")
    short: str = readonly(doc="A short form of the share's id.")
    user: str | None = readonly(doc="The id of the user for whom the link was made.")
    accessors: tuple[Accessor, ...] = readonly("accessors.iterable", doc="Who opened the link, and how often.")
    distributions: Any = readonly(doc="Where the link was sent, such as to GitHub or by e-mail, as plain data.")
    created: datetime = readonly()
    score: Score | None = readonly()
    asset = One["Asset"](wire="asset", back="shares")
    assets = Many["Asset"](wire="assets")

    @staticmethod
    def _seed(
        context: Context,
        *assets: str | Asset,
        access: Access | str = Access.PRIVATE,
        name: str | None = None,
        transferables: bool | None = None,
    ) -> Seed:
        """Compose the seed of a share.

        Args:
            assets: the assets to show; their whole documents are sent, so one that is not loaded is read first.
            access: who may open the link.
            name: the part of the link that is chosen by hand.
            transferables: whether the answer carries contents; None lets the server decide.

        Raises:
            InvalidValueError: no asset is given.
        """
        if not assets:
            message = "A share needs at least one asset."
            raise InvalidValueError(message)
        entities: Sequence[Any] = assets
        documents = [asset.to_dict() for asset in entities]
        shared = {"asset": documents[0]} if len(documents) == 1 else {"assets": {"iterable": documents}}
        return Seed({"access": access, "name": name, **shared}, {"transferables": transferables})
