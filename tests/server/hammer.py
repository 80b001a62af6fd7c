"""A writer that remembers what was answered, and a check of what a database then holds."""

from __future__ import annotations

import random
import sqlite3
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.cli.programs import started
from tests.server.support import ids


class Remote:
    """A server in another process; its answers are not held against the contract here, as there are many."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> Any:
        answer = requests.get(self.url + path, timeout=60)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()


@contextmanager
def serving(database):
    """`pieces-orm serve` on a database; the program and its address."""
    with started("serve", "--port", "0", "--database", database) as program:
        yield program, program.stdout.readline().split()[-1]


class Writer(threading.Thread):
    """Creates, associates, renames and deletes until the server is gone; whatever was under way then is open."""

    def __init__(self, url: str, seed: dict[str, Any], chance: random.Random) -> None:
        super().__init__()
        self.url, self.seed, self.chance = url, seed, chance
        self.assets: dict[str, str] = {}  # the name that was answered last
        self.tags: set[str] = set()
        self.links: set[tuple[str, str]] = set()
        self.deleted: set[str] = set()
        self.open: set[str] = set()  # ids of what nobody knows the outcome of
        self.answers = 0

    def run(self) -> None:
        with requests.Session() as http:
            self.http = http
            try:
                while True:
                    self.step()
            except (requests.RequestException, ValueError):
                return

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.http.post(self.url + path, json=body, timeout=10)
        # An answer that was cut off is none.
        assert answer.status_code in {200, 204}, (path, answer.status_code, answer.text)
        self.answers += 1
        return answer.json() if answer.content and "json" in answer.headers["content-type"] else None

    def step(self) -> None:
        asset = self.post("/assets/create", self.seed)["id"]
        self.assets[asset] = "tide"
        tag = self.post("/tags/create", {"text": "t"})["id"]
        self.tags.add(tag)
        if self.chance.random() < 0.7:
            self.post(f"/asset/{asset}/tags/associate/{tag}")
            self.links.add((asset, tag))
        if self.chance.random() < 0.3:
            document = self.http.get(f"{self.url}/asset/{asset}", timeout=10).json()
            self.open.add(asset)
            self.post("/asset/update", {**document, "name": "renamed"})
            self.open.discard(asset)
            self.assets[asset] = "renamed"
        if self.chance.random() < 0.2:
            self.open.add(asset)
            self.post(f"/assets/{asset}/delete")
            self.open.discard(asset)
            self.deleted.add(asset)


def seed_of(url: str) -> dict[str, Any]:
    """A body that creates an asset, for an application that is connected."""
    application = {"name": "OPEN_SOURCE", "version": "1", "platform": "LINUX"}
    connected = requests.post(f"{url}/connect", json={"application": application}, timeout=10).json()
    fragment = {"string": {"raw": "print('tide')"}}
    metadata = {"name": "tide", "tags": [{"text": "seeded"}]}
    asset = {"application": connected["application"], "format": {"fragment": fragment}, "metadata": metadata}
    return {"type": "SEEDED_ASSET", "asset": asset}


def check_answered(server: Remote, writer: Writer) -> None:
    """Assert that all that was answered is there."""
    assets = {asset["id"]: asset for asset in server.get("/assets")["iterable"]}
    tags = {tag["id"]: tag for tag in server.get("/tags")["iterable"]}
    assert writer.tags <= tags.keys()
    assert not writer.deleted & assets.keys()
    kept = writer.assets.keys() - writer.deleted - writer.open
    assert kept <= assets.keys()
    for id in kept:
        assert assets[id]["name"] == writer.assets[id]
    for asset, tag in writer.links:
        if asset in kept:
            assert tag in ids(assets[asset]["tags"])
            assert asset in ids(tags[tag]["assets"])


def check_whole(server: Remote) -> None:
    """Assert that nothing is half there: an asset has its formats, and an association has both its sides."""
    assets = {asset["id"]: asset for asset in server.get("/assets")["iterable"]}
    formats = {one["id"]: one for one in server.get("/formats")["iterable"]}
    tags = {tag["id"]: tag for tag in server.get("/tags")["iterable"]}
    for id, asset in assets.items():
        own = ids(asset["formats"])
        assert own
        assert {asset["original"]["id"], asset["preview"]["base"]["id"]} <= set(own)
        assert all(formats[one]["asset"]["id"] == id for one in own)
        assert "seeded" in {tags[tag]["text"] for tag in ids(asset["tags"])}
        assert all(id in ids(tags[tag]["assets"]) for tag in ids(asset["tags"]))
    for id, tag in tags.items():
        assert all(id in ids(assets[asset]["tags"]) for asset in ids(tag.get("assets") or {"iterable": []}))
    assert {one["asset"]["id"] for one in formats.values()} == assets.keys()
    found = ids_found(server)
    assert found == assets.keys(), "the search index is in step"


def ids_found(server: Remote) -> set[str]:
    found = server.get("/assets/search?query=print")["iterable"]
    return {one["identifier"] for one in found}


def check_integrity(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        database.execute("INSERT INTO asset_index(asset_index) VALUES ('integrity-check')")
        edges = database.execute("SELECT kind_a, id_a, kind_b, id_b FROM edge").fetchall()
        there = set(database.execute("SELECT kind, id FROM material"))
        assert all((a, b) in there and (c, d) in there for a, b, c, d in edges)
