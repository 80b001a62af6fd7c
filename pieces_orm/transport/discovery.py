"""Find a running server: an address given, the environment, the port file, the known ports."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ..errors import AnswerTooLargeError, NotRunningError, PiecesError, ResponseError, printable
from ..values import Timeout
from ..wire import kinds, routes
from ..wire.closed_lists import CURRENT_PORTS, OLD_PORTS
from .backoff import pause_after
from .http import NO_HOST, REMEDY, HTTPTransport

PORTS = (*CURRENT_PORTS, *OLD_PORTS)
_ANOTHER_PROGRAM = "another program answers there"
_PORT_FILE = ("com.pieces.os", "production", "Config", ".port.txt")
# Seconds to connect, to wait, and for the whole probe: whatever program is there cannot hold up the search.
PROBE_TIMEOUT: Timeout = (1.0, 1.0, 2.0)
# Bytes of an answer that tells the health, or of the page of another program.
MAX_PROBE_ANSWER_BYTES = 65_536
# A port is a word; what else a file may hold is not read.
PORT_FILE_BYTES = 64
# A server that starts is looked for at least this often.
MAX_WAIT_PAUSE_S = 1.0


def port_file() -> Path:
    """Return the file in which Pieces OS writes its port; it may be stale or hold nonsense."""
    home = Path.home()
    base = home / "Library" if sys.platform == "darwin" else home / "Documents"
    return base.joinpath(*_PORT_FILE)


def port_files() -> Iterator[Path]:
    """Yield the files in which a Pieces OS may have written its port, those of newer installers first."""
    local = os.environ.get("LOCALAPPDATA")
    if local:  # only Windows sets it
        yield Path(local, "Mesh Intelligent Technologies, Inc", "Pieces OS", *_PORT_FILE)
    with suppress(RuntimeError):  # a user without a home
        yield port_file()


def _port_in(path: Path) -> int | None:
    """Return the port in a file; None when it is no file of a port: missing, a pipe, nonsense."""
    with suppress(OSError, ValueError):
        # Opening a pipe that nobody writes to would wait for its writer.
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            text = os.read(file, PORT_FILE_BYTES) if stat.S_ISREG(os.fstat(file).st_mode) else b""
        finally:
            os.close(file)
        port = int(text.decode("utf-8-sig"))
        return port if len(text) < PORT_FILE_BYTES and 0 < port < 65536 else None
    return None


def candidates(url: str | None) -> Iterator[tuple[str, str]]:
    """Yield the addresses to try, in order, each with where it comes from."""
    if url is not None:
        yield url, "url"
        return
    if os.environ.get("PIECES_URL"):
        yield os.environ["PIECES_URL"], "PIECES_URL"
    for path in port_files():
        written = _port_in(path)
        if written is not None:
            yield f"http://127.0.0.1:{written}", "the port file"
    for port in PORTS:
        yield f"http://127.0.0.1:{port}", "a known port"


def find(url: str | None, wait: float = 0, token: str | None = None, timeout: Timeout = PROBE_TIMEOUT) -> str:
    """Return the address of a running server.

    Args:
        url: the only address to try; None: all the known places.
        wait: seconds to keep trying, for a server that is starting.
        token: sent to the server, where it wants one.
        timeout: seconds to wait for the answer of an address that is given.

    Raises:
        NotRunningError: nothing found; the message lists what was tried.
    """
    deadline = time.monotonic() + wait
    attempts = 0
    while True:
        tried: list[str] = []
        for address, origin in candidates(url):
            problem = probe(address, token, PROBE_TIMEOUT if url is None else timeout)
            if problem is None:
                return address
            tried.append(f"{address} ({origin}): {problem}")
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            listed = "\n  ".join(_brief(tried))
            message = f"No Pieces server found. {REMEDY}, or pass its address as url=.\nTried:\n  {listed}"
            raise NotRunningError(message)
        attempts += 1
        time.sleep(min(pause_after(attempts, longest=MAX_WAIT_PAUSE_S), remaining))


def find_again(lost: str) -> str | None:
    """Return where a lost server is now: at its old address, or at the first known place; None: nowhere."""
    places = (lost, *(address for address, _ in candidates(None)))
    return next((address for address in dict.fromkeys(places) if probe(address) is None), None)


def probe(address: str, token: str | None = None, timeout: Timeout = PROBE_TIMEOUT) -> str | None:
    """Return the problem with a server at this address; None when it is a Pieces server that is ready."""
    try:
        transport = HTTPTransport(address, timeout, token=token, max_answer=MAX_PROBE_ANSWER_BYTES)
    except NotRunningError as error:
        return str(error)
    try:
        answer = transport.send("GET", routes.HEALTH.path, accept=kinds.TEXT, attempts=1)
    except NotRunningError as error:
        return NO_HOST if NO_HOST in str(error) else "refused"
    except ResponseError as error:
        if error.status == 401:
            return f"it wants {'another' if token else 'a'} token: token=, or --token on the command line"
        if error.status in (503, 507) and error.body.strip():
            return printable(f"it cannot work: {error.body.strip()[:300]}")
        return f"answers, but not as Pieces does (status {error.status})"
    except AnswerTooLargeError:
        return _ANOTHER_PROGRAM
    except PiecesError as error:
        return str(error)
    finally:
        transport.close()
    health = answer.decode("utf-8", "replace").strip().strip('"').casefold()
    state, colon, id = health.partition(":")
    if state == routes.HEALTH_OK and bool(colon) is bool(id):
        return None
    return "its database is opening (migrating)" if health == routes.HEALTH_MIGRATING else _ANOTHER_PROGRAM


def _brief(tried: list[str]) -> list[str]:
    refused = [line for line in tried if line.endswith("a known port): refused")]
    if len(refused) < 3:
        return tried
    others = [line for line in tried if line not in refused]
    return [*others, f"ports 39300-39333, 1000 and 5323 on 127.0.0.1: {len(refused)} refused"]
