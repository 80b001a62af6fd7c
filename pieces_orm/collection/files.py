"""Assets from files: read their contents, and update the assets that were made of them before."""

from __future__ import annotations

import codecs
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from attrs import frozen

from ..entities import Anchor, Asset
from ..errors import BatchError, InvalidValueError, PiecesError, SeveralFoundError, UnsupportedOperationError
from ..model.seed import Seed
from ..orm import commands, creating, loading, natural_keys, relation_loading, saving, upserting
from ..orm.context import Context
from ..values import Progress
from ..values.checking import plain_text
from .arguments import listed

# Seconds for which several assets of a file stay as they are before they are taken for more than calls at once.
SETTLING_S = 1.0


@frozen
class File:
    """A file to make an asset of: its absolute path, its content, and further arguments of `create`."""

    path: str
    content: str | bytes
    arguments: Mapping[str, Any]

    @property
    def as_given(self) -> dict[str, Any]:
        """The arguments of `create`, by name."""
        return {"name": Path(self.path).name, **self.arguments, "content": self.content}

    @property
    def with_anchor(self) -> dict[str, Any]:
        """The arguments of `create`, with the anchor of the path among the anchors."""
        given = self.arguments.get("anchors", ())
        # Others are refused with the rest of the arguments.
        anchors = [*given, Path(self.path)] if isinstance(given, list | tuple) else given
        return {**self.as_given, "anchors": anchors}


def read(name: str, path: str | PathLike[str], encoding: str | None, arguments: Mapping[str, Any]) -> File:
    """Read a file: as text of an encoding, else a text when it is UTF-8 without null characters, else its bytes.

    Args:
        name: of the call, for messages.

    Raises:
        InvalidValueError: this is no path, the file is not of the encoding, or the arguments have a content too.
        OSError: it cannot be read.
    """
    check_encoding(encoding)
    if "content" in arguments:
        message = f"{name} takes the content of the file: leave out content=, or pass it to create()."
        raise InvalidValueError(message)
    file = _path(name, path)
    data = file.read_bytes()
    full = os.path.abspath(file)  # noqa: PTH100 resolve() follows links
    try:
        text = data.decode(encoding or "utf-8")
    except LookupError as error:  # one of bytes, such as base64
        raise _no_encoding(encoding) from error
    except UnicodeError as error:
        if encoding is not None:
            message = f"{file} is not {encoding} ({error}): pass the encoding that it has, or None to keep its bytes."
            raise InvalidValueError(message) from error
        return File(full, data, arguments)
    content = data if encoding is None and "\0" in text else text
    return File(full, content, arguments)


def check_encoding(encoding: str | None) -> None:
    """Raise when an argument does not name an encoding.

    Raises:
        InvalidValueError: so it is.
    """
    if not isinstance(encoding, str | None):
        message = f"encoding takes the name of an encoding, such as 'latin-1', or None, not {encoding!r}."
        raise InvalidValueError(message)
    try:
        if encoding is not None:
            codecs.lookup(encoding)
    except (LookupError, ValueError) as error:
        raise _no_encoding(encoding) from error


def _no_encoding(encoding: str | None) -> InvalidValueError:
    message = f"There is no encoding {encoding!r:.80}; the encodings are those of Python's `bytes.decode`."
    return InvalidValueError(message)


def _path(name: str, path: object) -> Path:
    text = os.fspath(path) if isinstance(path, PathLike) else path
    if not isinstance(text, str) or "\0" in text:
        message = f"{name} takes a path as a text or path object, without null characters, not {path!r}."
        raise InvalidValueError(message)
    return Path(plain_text("path", text) if isinstance(path, str) else text)


def read_items(name: str, items: Any, encoding: str | None, *, only_files: bool) -> list[Any]:
    """Return items of assets to create, those that are files read.

    Raises:
        InvalidValueError: one is no file, if only files are wanted; for others see `read`.
    """
    check_encoding(encoding)
    given = [_read_item(name, each, encoding) for each in listed(name, items, ", with an item for each material")]
    other = next((each for each in given if not isinstance(each, File)), None) if only_files else None
    if other is not None:
        message = f"upsert=True takes files, as path objects, not {other!r:.80}."
        raise InvalidValueError(message)
    return given


def _read_item(name: str, item: Any, encoding: str | None) -> Any:
    if isinstance(item, PathLike):
        return read(name, item, encoding, {})
    if isinstance(item, Mapping) and isinstance(item.get("content"), PathLike):
        further = {name: value for name, value in item.items() if name != "content"}
        return read(name, item["content"], encoding, further)
    return item


def upsert(context: Context, files: Sequence[File], seeds: Sequence[Seed], progress: Progress | None) -> list[Asset]:
    """Return the assets of files, in order: those made of them before, with the present content, or new ones.

    Args:
        seeds: of an asset of each file, with an anchor of its path.

    Raises:
        InvalidValueError: a file is named twice. SeveralFoundError: several assets were made of a file.
        UnsupportedOperationError: bytes have changed, which no route can save. Nothing was written.
        BatchError: some could not be written.
    """
    paths = [each.path for each in files]
    twice = next((path for path in paths if paths.count(path) > 1), None) if len(set(paths)) < len(paths) else None
    if twice is not None:
        message = f"{twice} is named twice: one asset is made of each file."
        raise InvalidValueError(message)
    seed_of = dict(zip(paths, seeds, strict=True))
    context.connection.check_open()
    with context.signals.held_back(), context.connection.turns.take(("file", path) for path in paths):
        found = _made_before(context, paths)
        changed = [each for each in files if each.path in found and _differs(found[each.path], each.content)]
        new = [each for each in files if each.path not in found]
        done = len(files) - len(changed) - len(new)
        _update(context, {found[each.path]: each.content for each in changed}, _part(progress, done, len(files)))
        done += len(changed)
        made = _create(context, [seed_of[each.path] for each in new], _part(progress, done, len(files)))
        found |= _first(context, dict(zip((each.path for each in new), made, strict=True)))
    return [found[path] for path in paths]


def _part(progress: Progress | None, done: int, total: int) -> Progress | None:
    return None if progress is None else lambda more, _: progress(done + more, total)


# Before ---------------------------------------------------------------------------------------------------------------


def _made_before(context: Context, paths: Sequence[str]) -> dict[str, Asset]:
    """Return the assets that this application has made of files, by path, with their contents.

    Requests: one GET of the anchors; one batch read for each 50 assets that theirs are among. Where several were made
    of a file, the same again until their number has not changed for a second: of calls at once, each deletes its own
    but one.

    Raises:
        SeveralFoundError: several were made of a file.
    """
    found = _candidates(context, paths)
    unchanged_since = time.monotonic()
    while several := [path for path, each in found.items() if len(each) > 1]:
        if time.monotonic() - unchanged_since >= SETTLING_S:
            candidates = found[several[0]]
            message = (
                f"{len(candidates)} assets were made of {several[0]}: {', '.join(map(repr, candidates))}. Delete all "
                "but one of them, or take the others from its anchor. Nothing was written."
            )
            raise SeveralFoundError(message, ids=[asset.id for path in several for asset in found[path]])
        time.sleep(SETTLING_S / 10)
        before, found = found, _candidates(context, paths)
        unchanged_since = unchanged_since if before == found else time.monotonic()
    return {path: each[0] for path, each in found.items() if each}


def _candidates(context: Context, paths: Sequence[str]) -> dict[str, list[Asset]]:
    anchors = natural_keys.look_up(context, Anchor, paths)
    ids = {path: _assets_of(context, each) for path, each in anchors.items()}
    wanted = list(dict.fromkeys(id for each in ids.values() for id in each))
    read = loading.get_many(context, Asset, wanted, skip_missing=True, transferables=True) if wanted else []
    own = {each.id: each for each in read if _is_own(context, each)}
    return {path: [own[id] for id in each if id in own] for path, each in ids.items()}


def _assets_of(context: Context, anchors: Iterable[Anchor]) -> list[str]:
    relation = Anchor._schema.relations["assets"]
    ids = (relation_loading.related_ids(context, each, relation) for each in anchors)
    return list(dict.fromkeys(id for some in ids for id in some))


def _is_own(context: Context, asset: Asset) -> bool:
    """Tell whether this application has made an asset; servers know a program by the id of its application."""
    original = asset.original
    return original is not None and original.application.id == context.connection.application.id


def _differs(asset: Asset, content: str | bytes) -> bool:
    return asset.text != content if isinstance(content, str) else asset.text is not None or asset.bytes != content


# Now ------------------------------------------------------------------------------------------------------------------


def _update(context: Context, contents: Mapping[Asset, str | bytes], progress: Progress | None) -> None:
    for asset, content in contents.items():
        if isinstance(content, bytes) or asset.text is None:
            message = (
                f"The bytes of {asset!r} are not those of its file any more, and no route of the wire changes bytes: "
                "delete the asset, and another one is made. Nothing was written."
            )
            raise UnsupportedOperationError(message)
    try:
        for asset, content in contents.items():
            asset.text = str(content)
    except PiecesError:
        for asset in contents:
            asset.revert("text")
        raise
    saving.save_all(context, list(contents), progress, names={"text"})


def _create(context: Context, seeds: Sequence[Seed], progress: Progress | None) -> list[Asset]:
    """Create assets; one that could not be associated is deleted, because the next call would not find it."""
    if not seeds:
        return []
    try:
        return creating.create(context, Asset, upserting.with_entities(context, seeds), progress)
    except PiecesError as error:
        failed = error.failed.values() if isinstance(error, BatchError) else [error]
        made = [each.created for each in failed if isinstance(each, PiecesError) and each.created is not None]
        commands.delete_all(context, made, None, is_asked=True)
        raise


def _first(context: Context, made: Mapping[str, Asset]) -> dict[str, Asset]:
    """Return the first assets of files, where other programs have made some at the same time; the own ones go.

    The first is the one that its anchor had first, not the oldest: programs see each other's from then on.
    """
    first: dict[str, Asset] = {}
    anchors = {path: natural_keys.members(context, Anchor, mine.anchors.refs(), path) for path, mine in made.items()}
    ids = list({each.id: None for some in anchors.values() for each in some})
    if ids:
        loading.get_many(context, Anchor, ids, skip_missing=True)
    for path, mine in made.items():
        associated = _assets_of(context, anchors[path])
        others = [id for id in associated if id != mine.id]
        read = loading.get_many(context, Asset, others, skip_missing=True) if others else []
        own = {each.id: each for each in (mine, *(each for each in read if _is_own(context, each)))}
        first[path] = next((own[id] for id in associated if id in own), mine)
    superseded = [mine for path, mine in made.items() if first[path] is not mine]
    commands.delete_all(context, superseded, None, is_asked=True)
    return first
