"""Frames of a stream that is read for its own sake, without a feed."""

from __future__ import annotations

from collections.abc import Iterator

from ..concurrency.forgotten import close_when_forgotten
from ..orm.context import Context
from ..transport.websocket import Frames
from ..wire.kinds import Route


def frames(context: Context, route: Route) -> Iterator[tuple[int, bytes]]:
    """Iterate over the frames of a stream, each with the number of its moment, until the session closes."""
    connection = context.connection
    connection.check_open()
    opened = Frames(
        connection.stream_url(route), connection.stream_headers(), connection.max_answer, context.history.request
    )
    context.close_with_session(opened)

    def close() -> None:
        opened.close()
        context.was_closed(opened)

    def numbered() -> Iterator[tuple[int, bytes]]:
        for frame in opened:  # noqa: UP028 a generator's end would close the iterator that it delegates to, right here
            yield frame
        close()
        connection.check_inherited()

    iterator = numbered()
    close_when_forgotten(iterator, close)
    return iterator
