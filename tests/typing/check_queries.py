"""Conditions of queries as type checkers see them: checked by mypy --strict and basedpyright, never run.

Each comment that ignores an error is a mistake that the checker finds; one that it did not find would be reported.
"""
# pyright: reportUnnecessaryTypeIgnoreComment=error

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pieces_orm import Anchor, Asset, Explanation, Live, Query, Session, Tag, filters
from pieces_orm.filters import Condition, Filter, after, any_of, between, contains, is_not, one_of
from pieces_orm.values import AnchorType

if TYPE_CHECKING:
    from typing_extensions import assert_type  # noqa: TC004 this file is checked, never run


def answers(session: Session) -> None:
    query = session.assets.query(language="py")
    assert_type(query, Query[Asset])
    assert_type(query.where(name="a").order_by("-created").limit(20), Query[Asset])
    assert_type(query.where(lambda asset: asset.favorited), Query[Asset])
    assert_type(query[2:4].prefetch(Asset.tags, Tag.assets), Query[Asset])
    assert_type(query[0], Asset)
    assert_type(query.first(), Asset | None)
    assert_type(query.one(), Asset)
    assert_type(list(query), list[Asset])
    assert_type(query.ids(), tuple[str, ...])
    assert_type(query.count(), int)
    assert_type(query.exists(), bool)
    assert_type(query.explain(), Explanation)
    assert_type(query.live(), Live[Asset])


def right_conditions(session: Session, tag: Tag, anchor: Anchor, day: datetime) -> None:
    session.assets.query(name="a", favorited=True, created=after(day), language=one_of("py", "js"))
    session.assets.query(name=None, description=is_not(None), text=any_of("a", contains("b")))
    session.assets.query(tags="tides", anchors=Path("/a"), websites=None, persons=one_of("Ada", "a@example.com"))
    session.assets.query(tags=tag, anchors=is_not(anchor), updated=between(day, day))
    session.assets.query(tags=any_of(tag, "tides", None))
    session.anchors.query(type="FILE", watch=is_not(True))
    session.anchors.query(type=AnchorType.FILE)
    session.anchors.query(type=one_of("FILE", AnchorType.DIRECTORY))
    session.tags.query(interactions=after(3))
    session.ranges.query(from_=None, to=after(day))
    assert_type(after(day), Condition[datetime])
    assert_type(one_of("a", None), Condition[str | None])
    assert_type(any_of(filters.tags("a"), filters.websites("b")), Filter)


def wrong_names(session: Session, tag: Tag) -> None:
    session.assets.query(nam="a")  # type: ignore[call-arg]
    session.tags.query(name="a")  # type: ignore[call-arg]
    session.formats.query(tags=tag)  # type: ignore[call-arg]
    session.tags.query("tides")  # type: ignore[call-arg]


def wrong_values(session: Session, tag: Tag, day: datetime) -> None:
    session.assets.query(name=3)  # type: ignore[arg-type]
    session.assets.query(name=["a"])  # type: ignore[arg-type]
    session.assets.query(favorited="yes")  # type: ignore[arg-type]
    session.assets.query(created="2026-01-01")  # type: ignore[arg-type]
    session.assets.query(created=None)  # type: ignore[arg-type]
    session.assets.query(created=after(3))  # type: ignore[arg-type]
    session.assets.query(name=after(day))  # type: ignore[arg-type]
    session.assets.query(created=filters.created(after=day))  # type: ignore[arg-type]
    session.assets.query(tags=["tides"])  # type: ignore[arg-type]
    session.assets.query(anchors=tag)  # type: ignore[arg-type]
    session.assets.query(tags=Path("/a"))  # type: ignore[arg-type]
    session.assets.query(tags=one_of(1, 2))  # type: ignore[arg-type]
    session.tags.query(interactions="3")  # type: ignore[arg-type]
    session.assets.query().limit("3")  # type: ignore[arg-type]
    session.assets.query().order_by(Asset.name)  # type: ignore[arg-type]
    after("2026-01-01")  # type: ignore[type-var]
    contains(3)  # type: ignore[arg-type]
