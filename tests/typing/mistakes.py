"""Mistakes of users, each with who finds it: mypy --strict, basedpyright, or pieces_orm itself, with the remedy.

A comment `type: ignore` says that both checkers find the mistake in its line, `pyright: ignore` that basedpyright alone
does; the checkers report comments that nothing needs. `test_mistakes` makes every mistake, and expects the error that
its decorator names.
"""
# pyright: reportUnnecessaryTypeIgnoreComment=error

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, NamedTuple

from attrs import frozen

from pieces_orm import Anchor, Asset, Session, Tag, filters
from pieces_orm.errors import (
    InvalidIdError,
    InvalidValueError,
    ReadOnlyFieldError,
    UnknownRelationError,
    UnsupportedOperationError,
    UsageError,
)


@frozen
class World:
    """The session and entities of the mistakes."""

    session: Session
    asset: Asset
    tag: Tag
    anchor: Anchor
    foreign: Tag


class Refusal(NamedTuple):
    """The error that a mistake raises, and a pattern of its message."""

    error: type[Exception]
    message: str


MISTAKES: dict[Callable[[World], object], Refusal] = {}


def refused(error: type[Exception], message: str) -> Callable[[Callable[[World], object]], Callable[[World], object]]:
    """Put a mistake on the list."""

    def note(mistake: Callable[[World], object]) -> Callable[[World], object]:
        MISTAKES[mistake] = Refusal(error, message)
        return mistake

    return note


# Queries --------------------------------------------------------------------------------------------------------------


@refused(InvalidValueError, r"no field or relation 'naem' to ask for \(did you mean 'name'\?\). Its fields are name, ")
def a_misspelt_condition(w: World) -> object:
    return w.session.assets.query(naem="tide.py")  # type: ignore[call-arg]


@refused(InvalidValueError, "favorited takes bool or None, not 'yes'")
def a_text_for_a_truth(w: World) -> object:
    return w.session.assets.query(favorited="yes")  # type: ignore[arg-type]


@refused(InvalidValueError, "created takes datetime, not '2026-01-01'")
def a_text_for_a_moment(w: World) -> object:
    return w.session.assets.query(created="2026-01-01")  # type: ignore[arg-type]


@refused(InvalidValueError, r"takes a datetime or a number, .* pass datetime.combine\(day, time\(\)\)")
def a_day_for_a_moment(w: World) -> object:
    return w.session.assets.query(created=filters.after(date(2026, 1, 1)))  # type: ignore[arg-type]


@refused(InvalidValueError, r"pass filters.one_of\('sea', 'moon'\)")
def a_list_for_one_value(w: World) -> object:
    return w.session.assets.query(tags=["sea", "moon"])  # type: ignore[arg-type]


@refused(InvalidValueError, r"filters such as tags\(...\) and created\(...\) are those of search\(\)")
def a_filter_of_a_search_in_a_query(w: World) -> object:
    return w.session.assets.query(created=filters.created(after=datetime.now().astimezone()))  # type: ignore[arg-type]


@refused(InvalidValueError, r"query takes conditions by name, such as query\(created=after\(monday\)\)")
def a_condition_without_a_name(w: World) -> object:
    return w.session.assets.query("tides")  # type: ignore[call-arg]


@refused(InvalidValueError, "did you mean 'python'")
def a_misspelt_language_of_a_query(w: World) -> object:
    return w.session.assets.query(language="pyhton")


@refused(InvalidValueError, "did you mean .*'created'.*: order_by takes names of fields, .* of id, name, favorited")
def an_order_by_a_misspelt_field(w: World) -> object:
    return w.session.assets.query().order_by("-craeted")


@refused(InvalidValueError, "turn the order around, or use list")
def the_last_of_a_query(w: World) -> object:
    return w.session.assets.query()[-1]


@refused(UsageError, r"ask exists\(\), or list\(\) it")
def the_truth_of_a_query(w: World) -> object:
    return "some" if w.session.assets.query(language="py") else "none"  # pyright: ignore[reportGeneralTypeIssues]


@refused(TypeError, "has no len")
def the_length_of_a_collection(w: World) -> object:
    return len(w.session.assets)  # type: ignore[arg-type]


@refused(AttributeError, "no attribute 'find'")
def a_look_up_of_a_kind_without_a_natural_key(w: World) -> object:
    return w.session.assets.find("tide.py")  # type: ignore[attr-defined]


# Searching ------------------------------------------------------------------------------------------------------------


@refused(ValueError, "A search needs a query, tags or filters")
def a_search_for_nothing(w: World) -> object:
    return w.session.assets.search()


@refused(InvalidValueError, r"not a text: pass tags=\['tides'\]")
def a_search_with_a_text_for_a_list(w: World) -> object:
    return w.session.assets.search(tags="tides")


@refused(InvalidValueError, "filters takes a list of values of pieces_orm.filters")
def a_search_with_a_filter_for_a_list(w: World) -> object:
    return w.session.assets.search(filters=filters.tags("tides"))  # type: ignore[arg-type]


@refused(InvalidValueError, "engine takes 'fuzzy', 'full_text' or 'neural', not 'semantic'")
def an_engine_that_is_none(w: World) -> object:
    return w.session.assets.search("tides", engine="semantic")  # type: ignore[arg-type]


# Creating and reading -------------------------------------------------------------------------------------------------


@refused(InvalidValueError, "Entities come from a session: session.assets.get")
def an_entity_without_a_session(w: World) -> object:
    return Asset(name="tide.py")  # type: ignore[arg-type]


@refused(InvalidValueError, r"not a text: pass tags=\['tides, moon'\]")
def tags_as_one_text(w: World) -> object:
    return w.session.assets.create("x = 1", tags="tides, moon")


@refused(InvalidValueError, "unexpected keyword argument 'langauge'; it takes content, name, language")
def a_misspelt_argument(w: World) -> object:
    return w.session.assets.create("x = 1", langauge="py")  # type: ignore[call-arg]


@refused(InvalidValueError, "did you mean 'python'")
def a_misspelt_language(w: World) -> object:
    return w.session.assets.create("x = 1", language="pyhton")


@refused(InvalidValueError, "did you mean 'https://tides.example'")
def a_url_without_a_scheme(w: World) -> object:
    return w.session.websites.create("tides.example")


@refused(InvalidValueError, "takes a text that is not empty")
def an_empty_tag(w: World) -> object:
    return w.session.tags.get_or_create(" ")


@refused(InvalidValueError, r"AnchorType \(UNKNOWN, FILE, DIRECTORY\)")
def a_type_of_path_that_is_none(w: World) -> object:
    return w.session.anchors.create("/projects/tides", type="FOLDER")


@refused(InvalidValueError, "at least one of name, email")
def nobody(w: World) -> object:
    return w.session.persons.create()


@refused(UnsupportedOperationError, "the operations are all, read, stream")
def a_kind_that_cannot_be_created(w: World) -> object:
    return w.session.formats.create("x")


@refused(InvalidIdError, "Pass the entity's id")
def an_entity_for_an_id(w: World) -> object:
    return w.session.assets.get(w.asset)  # type: ignore[call-overload]


@refused(InvalidIdError, "get_many takes a list of ids")
def a_text_for_a_list_of_ids(w: World) -> object:
    return w.session.assets.get_many(w.asset.id)


@refused(InvalidValueError, "delete_many takes a list of Asset entities")
def an_entity_for_a_list_of_them(w: World) -> None:
    w.session.assets.delete_many(w.asset)  # type: ignore[arg-type]


# Fields and relations -------------------------------------------------------------------------------------------------


@refused(AttributeError, "Asset has no field 'nmae'. Those that can be set are name, favorited")
def a_misspelt_field(w: World) -> None:
    w.asset.nmae = "tide.py"  # type: ignore[attr-defined]


@refused(InvalidValueError, "name takes str or None, not 5")
def a_value_of_another_type(w: World) -> None:
    w.asset.name = 5  # type: ignore[assignment]


@refused(ReadOnlyFieldError, "Asset.created is set by the server alone")
def a_field_that_the_server_sets(w: World) -> None:
    w.asset.created = datetime.now().astimezone()


@refused(ReadOnlyFieldError, r"use tags.add\(...\) and tags.remove\(...\)")
def a_relation_that_is_set(w: World) -> None:
    w.asset.tags = [w.tag]


@refused(AttributeError, "no attribute 'append'")
def a_relation_for_a_list(w: World) -> None:
    w.asset.tags.append("tides")  # type: ignore[attr-defined]


@refused(UnknownRelationError, "tags of Asset does not take Anchor")
def a_member_of_another_kind(w: World) -> None:
    w.asset.tags.add(w.anchor)  # type: ignore[arg-type]


@refused(UnknownRelationError, "Asset cannot be associated with Asset; its relations: anchors")
def a_pair_that_nothing_joins(w: World) -> None:
    w.asset.associate(w.asset)


@refused(UsageError, "belongs to another session or scope")
def an_entity_of_another_session(w: World) -> None:
    w.asset.tags.add(w.foreign)


# Listening ------------------------------------------------------------------------------------------------------------


def _greedy(sender: Any, entity: Any) -> None:
    """A receiver of its two favourite arguments."""


@refused(InvalidValueError, r"and the others with \*\*_")
def a_receiver_without_room_for_the_arguments(w: World) -> object:
    return w.session.signals.changed.connect(_greedy)


@refused(InvalidValueError, "watch takes an entity class, such as Asset, not 'assets'")
def a_kind_by_its_name(w: World) -> object:
    return w.session.watch("assets")  # type: ignore[arg-type]
