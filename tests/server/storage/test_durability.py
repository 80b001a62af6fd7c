"""What was answered is there, whatever kills the server."""

import os
import random
import signal
import time

import pytest

from tests.server.hammer import Remote, Writer, check_answered, check_integrity, check_whole, seed_of, serving
from tests.server.support import until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")


def write_and_kill(database, chance, before=()):
    """Start the server, see that all that was written `before` is there, write more, and kill it at some moment."""
    with serving(database) as (program, url):
        check(url, before)
        seed = seed_of(url)
        writers = [Writer(url, seed, random.Random(chance.random())) for _ in range(2)]
        for writer in writers:
            writer.start()
        wanted = chance.randint(3, 40)
        until(lambda: sum(writer.answers for writer in writers) >= wanted)
        time.sleep(chance.uniform(0, 0.02))  # so that it hits a request anywhere, not just after an answer
        program.send_signal(signal.SIGKILL)
        program.wait(10)
        for writer in writers:
            writer.join(20)
            assert not writer.is_alive()
    return writers


def check(url, writers):
    server = Remote(url)
    for writer in writers:
        check_answered(server, writer)
    check_whole(server)


@pytest.mark.parametrize("life", range(10))
def test_a_write_that_was_answered_survives_a_kill_at_any_moment_and_none_is_half_there(tmp_path, life):
    writers = write_and_kill(tmp_path / "db", random.Random(life))
    with serving(tmp_path / "db") as (program, url):
        check(url, writers)
        program.send_signal(signal.SIGTERM)
        assert program.wait(10) == 0
    check_integrity(tmp_path / "db")


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_database_survives_a_hundred_kills(tmp_path):
    chance, writers = random.Random(100), []
    for _ in range(100):
        writers = write_and_kill(tmp_path / "db", chance, writers)
    with serving(tmp_path / "db") as (_, url):
        check(url, writers)
    check_integrity(tmp_path / "db")
