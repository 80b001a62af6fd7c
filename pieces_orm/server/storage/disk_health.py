"""Notice that the database's file is gone or replaced, and that its disk fails, and say so once."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen
from sqlalchemy.exc import DBAPIError

from ..request_errors import RequestError
from .disk_errors import cause_of
from .open_files import Claim, Key, key_of

_SERVICE_UNAVAILABLE = 503
_NOT_STORED = "nothing more is stored."
_PUT_BACK = "Put it back, and the server goes on by itself; or restart the server, on a backup if the file is lost."
STEADY_S = 3.0  # for which a disk has to work before it is said to: a small write may succeed on a full one

Report = Callable[[str], None]
"""Called with a sentence when a failure begins, and when it is over."""


@frozen
class _Companion:
    """A file beside the database that has to stay the same one."""

    name: str
    path: Path
    key: Key


class DiskHealth:
    """The state of the disk below a database, as the last operations on it have shown.

    A file that was deleted can be written to all the same, and what is written to it is lost: so a write counts only
    when the file, its log and its lock are found in their places after it.
    """

    def __init__(self, path: Path | None, report: Report) -> None:
        self._path = path
        self._report = report
        self._claim: Claim | None = None
        self._companions: Sequence[_Companion] = ()
        self._size = 0
        self.failure: RequestError | None = None
        self._lasts = False
        self._failed_at = -math.inf  # when the disk last failed, in seconds of the monotonic clock
        self._told: set[str] = set()  # since the last recovery: a disk that fails now and then must not fill the log

    def watch(self, claim: Claim, companions: dict[str, Path]) -> None:
        """Remember the files of a database that is open now; `companions` maps what they are called to paths."""
        self._claim = claim
        self._companions = [_Companion(name, path, key_of(path)) for name, path in companions.items()]
        self._size = os.fstat(claim.descriptor).st_size
        self.failure = None

    def unwatch(self) -> None:
        """Forget the files: the database is closed."""
        self._claim = None

    @contextmanager
    def operating(self) -> Iterator[None]:
        """Turn failures of the disk within the block into answers.

        Raises:
            RequestError: 503 or 507, with the cause.
        """
        try:
            yield
        except DBAPIError as error:
            failure = self._failed(error)
            if failure is None:
                raise
            raise failure from error

    def check(self) -> None:
        """Check that the file, its log and its lock are those that were opened.

        Raises:
            RequestError: 503, one of them is not.
        """
        problem = self._problem()
        if problem is not None:
            sentence = f"The server's database {problem}"
            raise self._say(RequestError(_SERVICE_UNAVAILABLE, sentence), lasts=False)

    def check_size(self) -> None:
        """Check that the file was not truncated.

        Raises:
            RequestError: 503, it was.
        """
        if self._claim is not None and self._is_truncated(self._claim):
            self.check()

    def recovered(self) -> None:
        """Note that a write has reached the disk: the failure is over when there was no other for a while."""
        if self.failure is None or self._lasts or time.monotonic() - self._failed_at < STEADY_S:
            return
        self.failure = None
        self._told.clear()
        self._report(f"The database {self._path} can be written again.")

    def failed_again(self) -> None:
        """Note that the disk was tried, and still fails."""
        self._failed_at = time.monotonic()

    def _problem(self) -> str | None:
        claim = self._claim
        if claim is None:
            return None
        if self._is_truncated(claim):
            return f"was truncated by another program: {_NOT_STORED} Restart the server on a backup."
        for name, path, key in (("file", claim.path, claim.key), *((c.name, c.path, c.key) for c in self._companions)):
            try:
                now = key_of(path)
            except OSError:
                return f"{name} is gone (it was deleted or moved): {_NOT_STORED} {_PUT_BACK}"
            if now != key:
                return f"{name} was replaced by another one: {_NOT_STORED} {_PUT_BACK}"
        return None

    def _is_truncated(self, claim: Claim) -> bool:
        known = self._size  # read first: a checkpoint in another thread makes the file longer
        size = os.fstat(claim.descriptor).st_size
        if size < known and size < _size_in_header(claim.descriptor):
            return True
        self._size = size
        return False

    def _failed(self, error: BaseException) -> RequestError | None:
        """Note the failure that an error shows, and return its answer; None when it is not the disk's."""
        cause = cause_of(error, self._path)
        if cause is None:
            return None
        if self._problem() is not None:
            self.check()
        self._failed_at = time.monotonic()
        sentence = f"The server's database cannot be used: {cause.reason}. {cause.remedy}"
        return self._say(RequestError(cause.status, sentence), lasts=cause.lasts)

    def _say(self, failure: RequestError, *, lasts: bool) -> RequestError:
        self.failure, self._lasts = failure, lasts
        if failure.sentence not in self._told:
            self._told.add(failure.sentence)
            self._report(f"{failure.sentence} ({self._path})")
        return failure


def _size_in_header(descriptor: int) -> int:
    """Return the bytes that a database file says it has; more than any file when it does not say."""
    if not hasattr(os, "pread"):
        return sys.maxsize
    header = os.pread(descriptor, 32, 0)
    # A page size of 1 stands for 65,536.
    page = {0: sys.maxsize, 1: 65_536}.get(bytes_per_page := int.from_bytes(header[16:18], "big"), bytes_per_page)
    return page * max(1, int.from_bytes(header[28:32], "big"))
