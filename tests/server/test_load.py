"""Many clients at once."""

import random
import statistics
import threading
import time

import pytest
import requests

from tests.server.hammer import Remote, check_whole, seed_of, serving

pytestmark = pytest.mark.xdist_group("machine")

CLIENTS = 50


class Client(threading.Thread):
    """Reads mostly, and writes, until it is time; notes how long each request took."""

    def __init__(self, url, seed, until, chance):
        super().__init__()
        self.url, self.seed, self.until, self.chance = url, seed, until, chance
        self.times, self.wrong, self.assets = [], [], []

    def run(self):
        with requests.Session() as self.http:
            self.http.trust_env = False
            while time.monotonic() < self.until:
                self.step()

    def step(self):
        dice = self.chance.random()
        asset = self.chance.choice(self.assets) if self.assets else None
        if asset is None or dice < 0.08:
            made = self.ask("POST", "/assets/create", self.seed)
            self.assets.append(made.json()["id"])
        elif dice < 0.14:
            tag = self.ask("POST", "/tags/create", {"text": "t"}).json()["id"]
            self.ask("POST", f"/asset/{asset}/tags/associate/{tag}")
        elif dice < 0.18:
            self.assets.remove(asset)
            self.ask("POST", f"/assets/{asset}/delete")
        elif dice < 0.22:
            self.ask("GET", "/assets/search?query=tide")
        elif dice < 0.4:
            self.ask("GET", "/assets/identifiers")
        else:
            self.ask("GET", f"/asset/{asset}")

    def ask(self, method, path, body=None):
        begun = time.perf_counter()
        try:
            answer = self.http.request(method, self.url + path, json=body, timeout=30)
        except requests.RequestException as error:
            self.wrong.append(repr(error))
            raise
        self.times.append(time.perf_counter() - begun)
        if not answer.ok:
            self.wrong.append(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer


def load(database, seconds):
    """Requests a second, and the 50th and 99th percentile in milliseconds, of clients that all went well."""
    with serving(database) as (_, url):
        seed, begun = seed_of(url), time.monotonic()
        clients = [Client(url, seed, begun + seconds, random.Random(number)) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        took = time.monotonic() - begun
        assert [wrong for client in clients for wrong in client.wrong] == []
        check_whole(Remote(url))
    cuts = statistics.quantiles((t for client in clients for t in client.times), n=100)
    return sum(len(client.times) for client in clients) / took, cuts[49] * 1000, cuts[98] * 1000


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(5, marks=pytest.mark.slow),
        pytest.param(60, marks=[pytest.mark.soak, pytest.mark.timeout(200)]),
    ],
)
def test_fifty_clients_read_and_write_at_once_without_an_error(tmp_path, seconds):
    rate, median, p99 = load(tmp_path / "db", seconds)
    print(f"{CLIENTS} clients, {seconds} s: {rate:.0f} requests/s, median {median:.0f} ms, p99 {p99:.0f} ms")
