"""Shares: links by which others see assets."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..model.fields import field, readonly
from ..model.seed import Seed
from ..orm.context import Context
from ..orm.entity import Entity, entity
from ..orm.relations import Many, One
from ..values import Access, Accessor, Score
from ..wire import kinds

if TYPE_CHECKING:
    from . import Asset


@entity(kinds.SHARE)
class Share(Entity):
    """A link to assets."""

    name: str | None = field()
    access: Access = field()
    link: str = readonly()
    short: str = readonly()
    user: str | None = readonly()
    accessors: tuple[Accessor, ...] = readonly("accessors.iterable")
    distributions: Any = readonly()
    created: datetime = readonly()
    score: Score | None = readonly()
    asset = One["Asset"](wire="asset", back="shares")
    assets = Many["Asset"](wire="assets")

    @staticmethod
    def _seed(
        context: Context,
        *assets: Asset,
        access: Access | str = Access.PRIVATE,
        name: str | None = None,
        transferables: bool | None = None,
    ) -> Seed:
        """What creates a share.

        Args:
            assets: what is shared; their whole documents are sent, so one that is not loaded is read first.
            access: who may open it.
            name: its title.
            transferables: whether the answer carries contents; None leaves it to the server.

        Raises:
            ValueError: no asset is given.
        """
        if not assets:
            message = "A share needs at least one asset."
            raise ValueError(message)
        documents = [asset.to_dict() for asset in assets]
        shared = {"asset": documents[0]} if len(documents) == 1 else {"assets": {"iterable": documents}}
        return Seed({"access": str(access), "name": name, **shared}, {"transferables": transferables})
