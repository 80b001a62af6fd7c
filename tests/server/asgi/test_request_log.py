"""The log of requests."""

import json

import requests

from pieces_orm.server import Server


def test_the_log_names_who_called_and_not_who_the_caller_says_it_is():
    forwarded = {"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https", "Forwarded": "for=10.1.2.3"}
    lines = []
    with Server(log=lines.append) as server:
        assert requests.get(f"{server.url}/tags", headers=forwarded, timeout=10).ok
    (line,) = lines
    assert json.loads(line)["client"].startswith("127.0.0.1:")
