"""Open sessions: `connect()` finds a running server, `embedded()` brings one along."""

from __future__ import annotations

import os
from os import PathLike
from typing import TYPE_CHECKING, Any

from .concurrency import parallel
from .errors import UnsupportedOperationError, UsageError
from .session import Session
from .signals import Dispatch
from .transport.http import MAX_ANSWER_BYTES
from .transport.options import check_options, check_texts
from .values import Timeout

if TYPE_CHECKING:
    from .server import Settings


def connect(
    url: str | None = None,
    *,
    application: str = "pieces_orm",
    api_key: str | None = None,
    token: str | None = None,
    timeout: Timeout = (3.05, 30),
    wait: float = 0,
    autoload: bool = True,
    concurrency: int = parallel.CONCURRENCY,
    dispatch: Dispatch | None = None,
    max_answer: int = MAX_ANSWER_BYTES,
) -> Session:
    """Open a session on a running server.

    Requests: probes of /.well-known/health; one POST /connect, before the first request of the session.

    Args:
        url: the server's address; None: env PIECES_URL, the port file, ports 39300-39333, 1000 and 5323. A server that
            was found there is looked for again when it does not answer any more: it may restart on another port.
        application: this program's name; one of the wire's application names, or any other.
        api_key: the id of an application that is connected already.
        token: the secret of a server that wants one; only with an address, from url= or env PIECES_URL, because it is
            not shown to whatever program answers at the known places.
        timeout: seconds to connect and to wait for an answer; one number for both, or two. The second bounds the wait
            for the first byte and each pause, and a whole answer that comes with less than 1,000 bytes a second. A
            third number bounds each request as a whole, with its repetitions; it is 600 if it is not given.
        wait: seconds to keep trying, for a server that is starting.
        autoload: whether reading a field of what is not loaded loads it.
        concurrency: how many requests of one call on many materials may be under way at a time.
        dispatch: called with each delivery of a signal, to hand it to a UI loop; None delivers at once.
        max_answer: bytes of an answer or a frame of a stream at most, after decompression; 1 GiB if it is not given.

    Raises:
        UsageError: a token without an address. InvalidValueError: the address or another argument cannot be used.
        NotRunningError: no server can be used; the message says why, and what to do.
    """
    from .transport import discovery  # noqa: PLC0415 a session whose address is known needs no discovery

    check_options(timeout, wait, concurrency, dispatch, max_answer)
    check_texts(**_given(application=application, api_key=api_key, token=token))
    if token is not None:
        url = url or os.environ.get("PIECES_URL")
        if not url:
            message = "token= needs the server's address: pass url=, or set PIECES_URL."
            raise UsageError(message)
    return Session(
        discovery.find(url, wait, token, timeout), application=application, api_key=api_key, timeout=timeout,
        autoload=autoload, concurrency=concurrency, dispatch=dispatch, max_answer=max_answer,
        find=discovery.find_again if url is None else None, token=token,
    )  # fmt: skip


def embedded(
    path: str | PathLike[str] | None = None,
    *,
    settings: Settings | None = None,
    application: str = "pieces_orm",
    api_key: str | None = None,
    timeout: Timeout = (3.05, 30),
    wait: float = 0,
    autoload: bool = True,
    concurrency: int = parallel.CONCURRENCY,
    dispatch: Dispatch | None = None,
    max_answer: int = MAX_ANSWER_BYTES,
) -> Session:
    """Open a session on a server of its own, in this process; closing the session stops it. No Pieces OS is needed.

    Args:
        path: of the database file, made when there is none; None: in memory.
        settings: a `pieces_orm.server.Settings`; None: its defaults.
        application, api_key, timeout, wait, autoload, concurrency, dispatch, max_answer: as for `connect`.

    Raises:
        UnsupportedOperationError: the extra `server` is not installed; the message says how to get it.
        DatabaseLockedError: another server has the database open. NotRunningError: it cannot be opened for another
            reason. InvalidValueError: another argument cannot be used.
    """
    check_options(timeout, wait, concurrency, dispatch, max_answer)
    check_texts(**_given(application=application, api_key=api_key))
    try:
        from .server import Server  # noqa: PLC0415 the server is an extra
    except ImportError as error:
        message = f"The embedded server is an extra: pip install 'pieces_orm[server]' ({error})."
        raise UnsupportedOperationError(message) from error
    from .transport import discovery  # noqa: PLC0415 as in connect()

    server = Server(path, settings=settings)
    server.start()
    try:
        return Session(
            discovery.find(server.url, wait, server.settings.token), application=application, api_key=api_key,
            timeout=timeout, autoload=autoload, concurrency=concurrency, dispatch=dispatch, max_answer=max_answer,
            find=lambda _: server.url, on_close=server.stop, token=server.settings.token,
        )  # fmt: skip
    except BaseException:
        server.stop()
        raise


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
