"""Find a running server: an address given, the environment, the port file, the known ports."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from ..errors import AnswerTooLargeError, InvalidValueError, NotRunningError, PiecesError, ResponseError, printable
from ..values import Timeout
from ..wire import kinds, routes
from ..wire.closed_lists import CURRENT_PORTS, OLD_PORTS
from .backoff import pause_after
from .failures import NO_HOST, REMEDY
from .http import HTTPTransport, address

PORTS = (*CURRENT_PORTS, *OLD_PORTS)
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


@frozen
class Problem:
    """The reason why a server cannot be used.

    Args:
        words: the reason, after the address.
        sentence: the same with its remedy; `{}` is the address.
        is_pieces: whether it is a Pieces server all the same.
    """

    words: str
    sentence: str
    is_pieces: bool = False

    def __str__(self) -> str:
        """Return the words."""
        return self.words

    def at(self, place: str) -> str:
        """Return the sentence about the server at an address."""
        return self.sentence.replace("{}", place, 1)


_REFUSED = Problem("refused", f"No server answers at {{}}: refused. {REMEDY}.")
_NO_HOST = Problem(NO_HOST, f"No server answers at {{}}: {NO_HOST}; look at the address.")
_ANOTHER_PROGRAM = Problem(
    "another program answers there", f"No Pieces server is at {{}}: another program answers there. {REMEDY}."
)
_NO_TOKEN = Problem(
    "it wants a token",
    "The server at {} wants a token: pass the one that it was started with, as token= to connect(), or as --token "
    "on the command line.",
    is_pieces=True,
)
_WRONG_TOKEN = Problem(
    "it refuses the token",
    "The server at {} refuses the token: pass the one that it was started with, as token= to connect(), or as "
    "--token on the command line.",
    is_pieces=True,
)
_OPENING = Problem(
    "its database is opening (migrating)",
    "The server at {} is not ready: its database is opening (migrating). Pass wait= with the seconds to wait for it.",
    is_pieces=True,
)


def candidates(url: str | None) -> Iterator[tuple[str, str]]:
    """Yield the addresses to try, in order, each once, with where it comes from."""
    found = set()
    for place, origin in _places(url):
        if _plain(place) not in found:
            found.add(_plain(place))
            yield place, origin


def _plain(place: str) -> str:
    """Return an address in the form in which it is used; what is none, as it is."""
    with suppress(InvalidValueError):
        return address(place)
    return place


def _places(url: str | None) -> Iterator[tuple[str, str]]:
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
        InvalidValueError: `url` is not an address. NotRunningError: nothing found; the message says why.
    """
    if url is not None:
        address(url)
    deadline = time.monotonic() + wait
    attempts = 0
    while True:
        tried: dict[str, tuple[str, Problem]] = {}
        for place, origin in candidates(url):
            problem = probe(place, token, PROBE_TIMEOUT if url is None else timeout)
            if problem is None:
                return place
            tried[place] = origin, problem
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise NotRunningError(_message(url, tried))
        attempts += 1
        time.sleep(min(pause_after(attempts, longest=MAX_WAIT_PAUSE_S), remaining))


def find_again(lost: str) -> str | None:
    """Return where a lost server is now: at its old address, or at the first known place; None: nowhere."""
    places = (lost, *(place for place, _ in candidates(None)))
    return next((place for place in dict.fromkeys(places) if probe(place) is None), None)


def probe(place: str, token: str | None = None, timeout: Timeout = PROBE_TIMEOUT) -> Problem | None:
    """Return the problem with a server at an address; None when it is a Pieces server that is ready."""
    try:
        transport = HTTPTransport(place, timeout, token=token, max_answer=MAX_PROBE_ANSWER_BYTES)
    except InvalidValueError as error:
        return _other(error)
    try:
        answer = transport.send("GET", routes.HEALTH.path, accept=kinds.TEXT, attempts=1)
    except NotRunningError as error:
        return _NO_HOST if NO_HOST in str(error) else _REFUSED
    except ResponseError as error:
        return _refusal(error, token)
    except AnswerTooLargeError:
        return _ANOTHER_PROGRAM
    except PiecesError as error:
        return _other(error)
    finally:
        transport.close()
    health = answer.decode("utf-8", "replace").strip().strip('"').casefold()
    state, colon, id = health.partition(":")
    if state == routes.HEALTH_OK and bool(colon) is bool(id):
        return None
    return _OPENING if health == routes.HEALTH_MIGRATING else _ANOTHER_PROGRAM


def _refusal(error: ResponseError, token: str | None) -> Problem:
    said = printable(error.body.strip()[:300])
    if error.status == 401:
        return _WRONG_TOKEN if token else _NO_TOKEN
    if error.status in (503, 507) and said:
        words = f"cannot work: {said}"
        return Problem(f"it {words}", f"The server at {{}} {words}", is_pieces=True)
    words = f"answers, but not as Pieces does (status {error.status})"
    return Problem(words, f"The server at {{}} {words}. {REMEDY}.")


def _other(error: PiecesError) -> Problem:
    return Problem(str(error), f"The server at {{}} cannot be used: {error}")


def _message(url: str | None, tried: Mapping[str, tuple[str, Problem]]) -> str:
    """Return the message for places none of which can be used; a Pieces server among them is what was meant."""
    problems = [(place, problem) for place, (_, problem) in tried.items()]
    headline = next((problem.at(place) for place, problem in problems if problem.is_pieces), None)
    if url is not None:
        return headline or problems[0][1].at(url)
    lines = [f"{place} ({origin}): {problem}" for place, (origin, problem) in tried.items()]
    listed = "\n  ".join(_brief(lines))
    return f"{headline or f'No Pieces server found. {REMEDY}, or pass its address as url=.'}\nTried:\n  {listed}"


def _brief(tried: list[str]) -> list[str]:
    refused = [line for line in tried if line.endswith("a known port): refused")]
    if len(refused) < 3:
        return tried
    others = [line for line in tried if line not in refused]
    return [*others, f"ports 39300-39333, 1000 and 5323 on 127.0.0.1: {len(refused)} refused"]
