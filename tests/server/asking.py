"""Questions to /qgpt/stream, and the frames of their answers."""

from __future__ import annotations

import json
from contextlib import contextmanager

from tests.server.support import frame, stream, valid


@contextmanager
def asking(wire):
    with stream(wire.server, "/qgpt/stream") as client:
        yield client


def ask(client, query="How high is the tide?", **more):
    client.send(json.dumps({"question": {"query": query, "relevant": {"iterable": []}}, **more}))


def frames(client):
    """The frames of one answer, checked as every frame is."""
    found = []
    while not found or found[-1]["status"] == "IN-PROGRESS":
        found.append(frame(client))
        valid("QGPTStreamOutput", found[-1])
    return found


def text(found):
    return "".join(one["question"]["answers"]["iterable"][0]["text"] for one in found if "question" in one)


def messages(wire, conversation):
    found = wire.get(f"/conversation/{conversation}/messages")["iterable"]
    return [(one["role"], one["fragment"]["string"]["raw"]) for one in found]
