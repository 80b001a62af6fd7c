"""Run the flow of `plan.py` with one version of the official Python client.

    python drive.py PLAN URL

Runs in the client's own environment and imports nothing of this project. Prints a JSON line per step.
"""

import importlib
import json
import os
import pkgutil
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path

import pieces_os_client.api
import pieces_os_client.models
import websocket
from pieces_os_client.api_client import ApiClient
from pieces_os_client.configuration import Configuration
from pieces_os_client.exceptions import ApiException
from pieces_os_client.wrapper import PiecesClient
from pieces_os_client.wrapper.streamed_identifiers import AssetSnapshot

# Below the server's interval of pings, which would keep a read from timing out.
STREAM_S = 8


class AbsentError(Exception):
    """This version of the client lacks an operation."""


def modules(package):
    """The modules of a package, by name without underscores."""
    return {
        module.name.replace("_", ""): f"{package.__name__}.{module.name}"
        for module in pkgutil.iter_modules(package.__path__)
    }


APIS, MODELS = modules(pieces_os_client.api), modules(pieces_os_client.models)


def find(known, name):
    """A class by its published name."""
    module = known.get(name.lower())
    if module is None:
        raise AbsentError(name)
    return getattr(importlib.import_module(module), name)


class Stream:
    """The frames of one stream, each decoded by the client's model."""

    def __init__(self, url, model):
        self._socket = websocket.create_connection(url, timeout=STREAM_S)
        self._model = model

    def wait_for(self, condition):
        """Read frames until an entry of one fulfils a condition."""
        end = time.monotonic() + STREAM_S
        while time.monotonic() < end:
            frame = self._socket.recv()
            for entry in self._model.from_json(frame).to_dict()["iterable"]:
                if condition(entry):
                    return
        raise AssertionError("no frame of the stream told of it")

    def close(self):
        """Leave."""
        self._socket.close()


def of(id):
    """An entry of a stream that is about a material."""
    return lambda entry: any(isinstance(value, dict) and value.get("id") == id for value in entry.values())


def holds(document, expected):
    """Tell if a document has everything that is expected of it."""
    if isinstance(expected, dict):
        return isinstance(document, dict) and all(holds(document.get(key), expected[key]) for key in expected)
    return document == expected


class Flow:
    """The steps; each is reported as passed, failed or absent."""

    def __init__(self, plan, url):
        self.plan, self.url = plan, url
        self.client = ApiClient(Configuration(host=url))
        self.values, self.made, self.others, self.streams = {}, {}, {}, {}

    def step(self, name, action, *arguments):
        """Run one step and report it."""
        try:
            result = action(*arguments)
        except AbsentError:
            return print(json.dumps({"step": name, "outcome": "absent"}))
        except Exception as error:  # noqa: BLE001  whatever it is, it is this step that failed
            where = traceback.extract_tb(error.__traceback__)[-1]
            said = " ".join(f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})".split())
            return print(json.dumps({"step": name, "outcome": "failed", "error": said[:600]}))
        print(json.dumps({"step": name, "outcome": "passed"}), flush=True)
        return result

    def call(self, operation, body=None, **parameters):
        """Call an operation of the client, with a body of its own models."""
        function = getattr(find(APIS, operation["api"])(self.client), operation["function"], None)
        if function is None:
            raise AbsentError(operation["function"])
        if operation["body"]:
            parameters[operation["body"]["argument"]] = self.model(operation["body"]["schema"], body)
        return function(**parameters)

    def has(self, operation):
        """Tell if this version of the client has an operation."""
        return operation["api"].lower() in APIS and hasattr(find(APIS, operation["api"]), operation["function"])

    def model(self, schema, document):
        """A model of the client, from a document with its placeholders filled in."""
        return find(MODELS, schema).from_dict(self.filled(document))

    def filled(self, value):
        """A document with its placeholders filled in."""
        if isinstance(value, dict):
            return {key: self.filled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.filled(each) for each in value]
        if isinstance(value, str) and value.startswith("{"):
            if value not in self.values:
                raise AbsentError(value)
            return self.values[value]
        return value

    def run(self):
        """All steps, in order."""
        self.step("connect", self.connect)
        for kind in self.plan["kinds"]:
            if kind["stream"]:
                self.streams[kind["name"]] = self.step(f"{kind['name']} stream opens", self.listen, kind)
            self.step(f"{kind['name']} create", self.create, kind)
        self.associations("associate", self.associated)
        for kind in self.plan["kinds"]:
            self.step(f"{kind['name']} snapshot", self.snapshot, kind)
            self.step(f"{kind['name']} read", self.read, kind)
            for verb, action in (("update", self.update), ("search", self.search)):
                if verb in kind["operations"]:
                    self.step(f"{kind['name']} {verb}", action, kind)
        self.step("asset search by query", self.search_assets)
        self.step("asset search by filters", self.search_filtered)
        self.step("asset stream of documents", self.stream_assets)
        for operation in filter(self.has, self.plan["others"]):
            self.step(operation["function"], self.other, operation)
        self.step("relevance", self.relevance)
        for name, body in (
            ("question", {"relevant": {"iterable": []}}),
            ("reprompt", {"conversation": {"iterable": []}}),
        ):
            self.step(name, self.ask, name, {"query": "How high is the tide?", **body})
        self.step("hints", self.ask, "hints", {"relevant": {"iterable": []}})
        self.step("question on the stream", self.stream_question)
        self.associations("disassociate", self.disassociated)
        for kind in reversed(self.plan["kinds"]):
            if "delete" in kind["operations"]:
                self.step(f"{kind['name']} delete", self.delete, kind)
        self.step("wrapper", self.wrapper)
        self.step("end", lambda: None)

    def associations(self, verb, action):
        """Associate, or disassociate, everything that can be."""
        for row in self.plan["associations"]:
            self.step(f"{row['owner']}.{row['wire']} {verb}", action, row)

    def connect(self):
        """Introduce this program."""
        answer = self.call(self.plan["connect"], self.plan["seeds_application"])
        self.values["{application}"] = answer.application.to_dict()

    def listen(self, kind):
        """Open the stream of a kind."""
        if not self.has(kind["operations"]["stream"]):
            raise AbsentError(kind["stream"])
        url = self.url.replace("http", "ws") + kind["stream"]
        return Stream(url, find(MODELS, "StreamedIdentifiers"))

    def create(self, kind):
        """Create two of a kind; the stream tells of them."""
        name = kind["name"]
        for made in (self.others, self.made):
            if kind["seed"] is None:
                made[name] = self.asset_of(made).original.id
            else:
                created = self.call(kind["operations"]["create"], kind["seed"])
                created = created.iterable[0] if name == "share" else created
                made[name] = created.id
                self.values[f"{{{name} document}}"] = created.to_dict()
            self.values[f"{{{name}}}"] = made[name]
        if self.streams.get(name):
            self.streams[name].wait_for(of(self.made[name]))

    def asset_of(self, made):
        """The asset that a format belongs to."""
        kind = next(kind for kind in self.plan["kinds"] if kind["name"] == "asset")
        return self.call(kind["operations"]["read"], asset=made["asset"])

    def id(self, kind):
        """The id of what was made; a kind that this client cannot create is absent."""
        if kind["name"] not in self.made:
            raise AbsentError(kind["name"])
        return self.made[kind["name"]]

    def read(self, kind):
        """Read what was made."""
        found = self.call(kind["operations"]["read"], **{kind["parameter"]: self.id(kind)})
        assert found.id == self.id(kind)
        return found

    def snapshot(self, kind):
        """The snapshot has both that were made."""
        id, other = self.id(kind), self.others[kind["name"]]
        ids = [each.id for each in self.call(kind["operations"]["all"]).iterable]
        assert {id, other} <= set(ids), f"not both are among the {len(ids)} of the snapshot"

    def update(self, kind):
        """Edit what was read, send it, and read it again."""
        document = {**self.read(kind).to_dict(), **kind["edit"]}
        answer = self.call(kind["operations"]["update"], document)
        assert holds(answer.to_dict(), kind["edit"]), "the answer lacks the edit"
        assert holds(self.read(kind).to_dict(), kind["edit"]), "the edit was lost"

    def search(self, kind):
        """Find what was edited."""
        id, body = self.id(kind), {"engines": {"iterable": [{"query": self.plan["search"]["text"]}]}}
        found = self.call(kind["operations"]["search"], body)
        assert id in [hit.identifier for hit in found.iterable], f"not among {len(found.iterable)} hits"

    def search_assets(self):
        """Find the asset by its name."""
        query = self.plan["search"]
        found = self.call(query["query"], query=query["text"])
        assert self.made["asset"] in [hit.identifier for hit in found.iterable]

    def search_filtered(self):
        """Find the asset by its name, through the newer route."""
        query = self.plan["search"]
        found = self.call(query["filters"], {"query": query["text"]}).results
        assert self.made["asset"] in [hit.identifier for hit in found.iterable]

    def stream_assets(self):
        """The stream of documents has the asset, as a model."""
        stream = Stream(self.url.replace("http", "ws") + "/assets/stream", find(MODELS, "Assets"))
        stream.wait_for(lambda entry: entry["id"] == self.made["asset"])
        stream.close()

    def other(self, operation):
        """Read what belongs to no material."""
        assert self.call(operation) is not None

    def ask(self, name, body):
        """Ask the Copilot, whose answer is a model with something in it."""
        assert self.call(self.plan["questions"][name], body).to_dict()

    def relevance(self):
        """The asset is relevant to its name."""
        body = {"query": self.plan["search"]["text"], "options": {"database": True}}
        found = self.call(self.plan["questions"]["relevance"], body).relevant.iterable
        assert self.made["asset"] in [each.asset.id for each in found if each.asset]

    def stream_question(self):
        """The answer to a question ends, and is told to be of the conversation that was named."""
        output = find(MODELS, "QGPTStreamOutput")
        question = {"query": "How high is the tide?", "relevant": {"iterable": []}}
        body = {"question": question, "conversation": self.made["conversation"]}
        socket = websocket.create_connection(self.url.replace("http", "ws") + "/qgpt/stream", timeout=STREAM_S)
        socket.send(self.model("QGPTStreamInput", body).to_json())
        frames = [output.from_json(socket.recv()).to_dict()]
        while frames[-1]["status"] == "IN-PROGRESS":
            frames.append(output.from_json(socket.recv()).to_dict())
        socket.close()
        assert frames[-1]["status"] == "COMPLETED", frames[-1]
        assert {frame["conversation"] for frame in frames} == {self.made["conversation"]}
        assert all(frame["question"]["answers"]["iterable"][0]["text"] for frame in frames[:-1])

    def associated(self, row):
        """Associate two materials; the first then has the second."""
        self.pair(row, "associate")
        assert self.others[row["other"]] in self.members(row), "the relation lacks what was associated"

    def disassociated(self, row):
        """Disassociate two materials; the first then lacks the second."""
        self.pair(row, "disassociate")
        assert self.others[row["other"]] not in self.members(row), "the relation has what was disassociated"

    def pair(self, row, verb):
        """Call an association's operation."""
        if row["owner"] not in self.made or row["other"] not in self.others:
            raise AbsentError(row["other"])
        (owner, _), (other, _) = row["parameters"].items()
        self.call(row[verb], **{owner: self.made[row["owner"]], other: self.others[row["other"]]})

    def members(self, row):
        """The ids in a relation of what was made."""
        kind = next(kind for kind in self.plan["kinds"] if kind["name"] == row["owner"])
        document = self.read(kind).to_dict()
        for name in row["wire"].split("."):
            document = document.get(name) or {}
        return [each["id"] for each in document.get("iterable") or []]

    def delete(self, kind):
        """Delete what was made; it is gone, and the stream says so."""
        id, name = self.id(kind), kind["name"]
        self.call(kind["operations"]["delete"], **{kind["parameter"]: id})
        assert self.status(kind) in {404, 410, 500}, "it can be read still"
        if self.streams.get(name):
            about = of(id)
            self.streams[name].wait_for(lambda entry: about(entry) and entry.get("deleted"))
            self.streams[name].close()

    def wrapper(self):
        """The hand-written part of the client creates an asset, asks the Copilot, and finds the conversation."""
        port = self.url.rpartition(":")[2]
        PiecesClient._port_scanning = staticmethod(lambda: port)
        client = PiecesClient(host=self.url)  # only the oldest takes an address; the others scan for a port
        client.ensure_initialization()
        id = client.create_asset("height = 3")
        self.until(lambda: id in AssetSnapshot.identifiers_snapshot and client.asset(id).name == "height = 3")
        said = [each.to_dict()["status"] for each in client.copilot.stream_question("How high is the tide?")]
        assert said == ["IN-PROGRESS", "COMPLETED"], said
        self.until(lambda: len(client.copilot.chat.messages()) == 2)

    def until(self, condition):
        """Wait for a condition; the wrapper raises while it has not read what its stream told of."""
        end = time.monotonic() + STREAM_S
        while time.monotonic() < end:
            with suppress(ValueError):
                if condition():
                    return
            time.sleep(0.02)
        raise AssertionError("it did not come about")

    def status(self, kind):
        """The status of a read of what was made."""
        try:
            self.read(kind)
        except ApiException as error:
            return error.status
        return 200


if __name__ == "__main__":
    Flow(json.loads(Path(sys.argv[1]).read_text("utf-8")), sys.argv[2]).run()
    sys.stdout.flush()
    os._exit(0)  # the wrapper has threads that nothing ends
