"""One call on loopback, beside the official client, plain requests, and the standard library's own HTTP client."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import requests
from pieces_os_client.api.anchor_api import AnchorApi
from pieces_os_client.api_client import ApiClient
from pieces_os_client.configuration import Configuration

import pieces_orm

from .answering import answering
from .measuring import Row, interleaved


def measure(*, quick: bool) -> list[Row]:
    """P5 and P6."""
    repeats = 200 if quick else 2000
    with answering() as url, pieces_orm.connect(url) as session, requests.Session() as plain:
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        configuration = Configuration(host=url)
        with ApiClient(configuration) as client:
            anchor, asset = session.anchors.all()[0], session.assets.all()[0]
            return [
                _get(repeats, session, plain, connection, AnchorApi(client), url, anchor.id),
                _associate(repeats, plain, connection, AnchorApi(client), url, anchor, asset),
            ]


def _get(repeats, session, plain, connection, api, url, id) -> Row:
    def standard() -> object:
        connection.request("GET", f"/anchor/{id}")
        return json.loads(connection.getresponse().read())

    taken = interleaved(
        {
            "ours": lambda: session.anchors.get(id),
            "official": lambda: api.anchor_specific_anchor_snapshot(id),
            "plain": lambda: plain.get(f"{url}/anchor/{id}", timeout=10),
            "floor": standard,
        },
        repeats,
    )
    return _row("P5", "get(id), an anchor of 2 KB", taken, 0.75, 0.55, "requests.get")


def _associate(repeats, plain, connection, api, url, anchor, asset) -> Row:
    """Associating and undoing it in turn: otherwise both sides would know it already from the second time on."""
    paths = [f"/anchor/{anchor.id}/assets/{act}/{asset.id}" for act in ("associate", "disassociate")]

    def ours() -> None:
        anchor.associate(asset)
        anchor.disassociate(asset)

    def official() -> None:
        api.anchor_associate_asset(anchor.id, asset.id)
        api.anchor_disassociate_asset(anchor.id, asset.id)

    def plainly() -> None:
        for path in paths:
            plain.post(f"{url}{path}", timeout=10)

    def standard() -> None:
        for path in paths:
            connection.request("POST", path)
            connection.getresponse().read()

    acts = {"ours": ours, "official": official, "plain": plainly, "floor": standard}
    taken = {name: seconds / 2 for name, seconds in interleaved(acts, repeats // 2).items()}
    return _row("P6", "associate, both sides updated", taken, 1.0, 0.55, "requests.post")


def _row(number: str, work: str, taken: dict[str, float], official: float, plain: float, name: str) -> Row:
    """The goal is two ratios; the one that is nearer to its bound is shown as the ratio of the row."""
    ratios = [
        (taken["ours"] / taken["official"], official, "x official"),
        (taken["ours"] / taken["plain"], plain, f"x {name}"),
    ]
    value, goal, measure = max(ratios, key=lambda each: each[0] / each[1])
    return Row(
        number, f"{work}; {taken['ours'] / taken['plain']:.2f} x {name}", taken["ours"], taken["official"],
        taken["floor"], measure, value, goal, notes=("", "http.client"),
    )  # fmt: skip
