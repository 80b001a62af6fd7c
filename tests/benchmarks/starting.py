"""From nothing to work: imports, the first read of a process, everything there and watched."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from tempfile import TemporaryDirectory
from types import SimpleNamespace

from pieces_os_client.api.asset_api import AssetApi
from pieces_os_client.api_client import ApiClient
from pieces_os_client.configuration import Configuration
from pieces_os_client.models.streamed_identifiers import StreamedIdentifiers
from pieces_os_client.wrapper.streamed_identifiers import AssetSnapshot

import pieces_orm
from pieces_orm import Asset
from tests.cli.programs import ROOT

from .answering import answering
from .measuring import Row

OURS = "import pieces_orm"
CORE = "import requests, attrs, cattrs, blinker"
WRAPPER = "import pieces_os_client.wrapper"

TIMED = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"
OUR_READ = """
import sys, pieces_orm
session = pieces_orm.connect(sys.argv[1])
print(session.anchors.get(sys.argv[2]).name, flush=True)
"""
OFFICIAL_READ = """
import sys
from pieces_os_client.api.anchor_api import AnchorApi
from pieces_os_client.api_client import ApiClient
from pieces_os_client.configuration import Configuration
api = AnchorApi(ApiClient(Configuration(host=sys.argv[1])))
print(api.anchor_specific_anchor_snapshot(sys.argv[2]).name, flush=True)
"""
PLAIN_READ = """
import http.client, json, sys
from urllib.parse import urlsplit
connection = http.client.HTTPConnection(urlsplit(sys.argv[1]).netloc)
connection.request("GET", "/anchor/" + sys.argv[2])
print(json.loads(connection.getresponse().read())["name"], flush=True)
"""


def measure(*, quick: bool) -> list[Row]:
    """P10, P11 and the first half of P13."""
    repeats = 1 if quick else 7
    with TemporaryDirectory() as folder:
        programs = Programs(None if quick else folder)
        return [
            *_imports(programs, repeats), _first_read(programs, repeats),
            *_everything(*((100, 1) if quick else (10_000, 3))),
        ]  # fmt: skip


class Programs:
    """Programs in processes of their own, with their bytecode written down as an installation does.

    Args:
        folder: where it is written; None: beside the modules, where most of it is already.
    """

    def __init__(self, folder: str | None) -> None:
        given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._environment = given if folder is None else {**given, "PYTHONPYCACHEPREFIX": folder}

    def _line(self, source: str, *arguments: str) -> tuple[str, float]:
        """The first line that a program prints, and the seconds until it was there."""
        command = [sys.executable, "-c", source, *arguments]
        began = time.perf_counter()
        with subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            taken = time.perf_counter() - began
        assert line, f"{source} printed nothing"
        return line, taken

    def first_line(self, sources: dict[str, str], repeats: int, *arguments: str) -> dict[str, float]:
        """The median seconds until the first line of each program; they run in turn."""
        return self._medians(sources, repeats, lambda source: self._line(source, *arguments)[1])

    def printed(self, sources: dict[str, str], repeats: int) -> dict[str, float]:
        """The median of the seconds that each program prints; they run in turn."""
        return self._medians(sources, repeats, lambda source: float(self._line(source)[0]))

    @staticmethod
    def _medians(sources: dict[str, str], repeats: int, measure: Callable[[str], float]) -> dict[str, float]:
        times: dict[str, list[float]] = {name: [] for name in sources}
        for _ in range(repeats + 1):  # the first run writes the bytecode
            for name, source in sources.items():
                times[name].append(measure(source))
        return {name: statistics.median(taken[1:]) for name, taken in times.items()}


def _imports(programs: Programs, repeats: int) -> list[Row]:
    sources = {"ours": OURS, "core": CORE, "official": WRAPPER}
    taken = programs.printed({name: TIMED.format(source) for name, source in sources.items()}, repeats)
    ours, core, official = (taken[name] for name in ("ours", "core", "official"))
    figures, notes = (ours, official, core), ("its wrapper", "the core dependencies")
    return [
        Row("P10", "import pieces_orm", *figures, "x the core dependencies", ours / core, 1.5, notes=notes),
        Row("P10", "import pieces_orm", *figures, "x faster than the wrapper", official / ours, 15, at_least=True,
            notes=notes),
    ]  # fmt: skip


def _first_read(programs: Programs, repeats: int) -> Row:
    with answering() as url, pieces_orm.connect(url) as session:
        id = session.anchors.ids()[0]
        sources = {"ours": OUR_READ, "official": OFFICIAL_READ, "floor": PLAIN_READ}
        taken = programs.first_line(sources, repeats, url, id)
    return Row(
        "P13", "process start to the first anchor read", taken["ours"], taken["official"], taken["floor"], "x official",
        taken["ours"] / taken["official"], 0.3, notes=("", "http.client and json"),
    )  # fmt: skip


def _everything(assets: int, repeats: int) -> list[Row]:
    """The wrapper fetches one asset after the other; five hundred of them are its sample."""
    import_module("websockets.sync.client")  # imported on first use; the wrapper's is imported above
    taken: dict[str, list[float]] = {"ours": [], "official": []}
    with answering(assets) as url:
        _start(url)  # the first one pays for modules that come on first use, and for memory that is new
        for _ in range(repeats):
            seconds, made, ids = _start(url)
            taken["ours"].append(seconds)
            sample = ids[:500]
            taken["official"].append(_wrapper(url, sample) / len(sample) * assets)
    ours, official = (statistics.median(seconds) for seconds in taken.values())
    return [
        Row("P11", f"start with {assets} assets, all there and watched", ours, official, None,
            "x faster than the wrapper", official / ours, 40, at_least=True, notes=("its wrapper", "")),
        Row("P11", "requests after the handshake", made, assets + 4, None, "requests", made, 3, unit=""),
    ]  # fmt: skip


def _start(url: str) -> tuple[float, int, list[str]]:
    """Seconds until everything is there and watched, the requests made for it after POST /connect, and all ids."""
    began = time.perf_counter()
    with pieces_orm.connect(url) as session:
        requests: list[str] = []

        def requested(_: object, *, path: str, **__: object) -> None:
            requests.append(path)

        session.signals.requested.connect(requested)
        with session.watch(Asset) as watch:
            held = session.assets.all()
            watch.wait_live(60)
            taken = time.perf_counter() - began
            ids = [each.id for each in held]
    return taken, len(requests) - requests.count("/connect"), ids


def _wrapper(url: str, ids: list[str]) -> float:
    """Seconds that the official wrapper's own cache takes to fetch these assets, once it has heard of them."""
    with ApiClient(Configuration(host=url)) as client:
        AssetSnapshot.pieces_client = SimpleNamespace(asset_api=AssetApi(client))
        AssetSnapshot._initialized = threading.Event()
        AssetSnapshot.identifiers_snapshot, AssetSnapshot.first_shot = {}, True
        heard = StreamedIdentifiers.from_dict({"iterable": [{"asset": {"id": id}} for id in ids]})
        began = time.perf_counter()
        AssetSnapshot.streamed_identifiers_callback(heard)
        while len(AssetSnapshot.identifiers_snapshot) < len(ids):
            time.sleep(0.005)
        taken = time.perf_counter() - began
        AssetSnapshot._worker_thread.join()  # it waits five seconds for more, and says only then that it is ready
    return taken
