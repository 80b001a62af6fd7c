"""Standard payloads: realistic Pieces documents, valid for the official client 5.0.1.

`collection(kind, n)` builds the body of GET /assets, /anchors, /websites or /workstream_events with n members; the same
seed gives the same bytes. An asset is about 21.5 KB with contents, 14.3 KB with transferables=False; an anchor 1.9 KB;
a website 0.7 KB; a workstream event 2.0 KB. Use these for every speed figure, so that figures can be compared.

    python payloads.py assets 1000 > assets.json
"""

import json
import os
import pathlib
import random
import sys
import uuid

R = random.Random(7)
SCHEMA = {"migration": 0, "semantic": "MAJOR_0_MINOR_0_PATCH_1"}
APPLICATION_ID = "5f0b7a52-0000-4000-8000-00000000a11e"
MODEL_ID = "b2c7a2c9-0000-4000-8000-000000000001"
WORDS = [
    "def",
    "return",
    "import",
    "self",
    "class",
    "value",
    "result",
    "for",
    "in",
    "range",
    "if",
    "else",
    "None",
    "print",
    "data",
    "index",
    "item",
    "loop",
    "count",
    "total",
    "config",
    "parse",
    "load",
    "save",
    "json",
    "request",
    "response",
    "session",
    "model",
    "entity",
    "é",
    "ü",
]


def uid():
    return str(uuid.UUID(int=R.getrandbits(128), version=4))


def timestamp():
    month, day, hour, minute = R.randint(1, 12), R.randint(1, 28), R.randint(0, 23), R.randint(0, 59)
    value = f"2025-{month:02}-{day:02}T{hour:02}:{minute:02}:{R.randint(0, 59):02}.{R.randint(0, 999):03}Z"
    return {"value": value, "readable": f"{R.randint(1, 300)} days ago"}


def times():
    return {"created": timestamp(), "updated": timestamp()}


def text(length):
    lines, size = [], 0
    while size < length:
        line = "    " * R.randint(0, 3) + " ".join(R.choice(WORDS) for _ in range(R.randint(4, 10)))
        lines.append(line)
        size += len(line) + 1
    return "\n".join(lines)


def score():
    return {"manual": R.randint(0, 5), "automatic": R.randint(0, 5), "priority": 1, "reuse": 0, "update": 2}


def references(*ids):
    return {"iterable": [{"id": i} for i in ids], "indices": {i: k for k, i in enumerate(ids)}}


def some(n):
    return references(*[uid() for _ in range(n)])


def full(items):
    return {"schema": SCHEMA, "iterable": items, "indices": {x["id"]: k for k, x in enumerate(items)}}


def application():
    return {
        "schema": SCHEMA,
        "id": APPLICATION_ID,
        "name": "VS_CODE",
        "version": "2.0.1",
        "platform": "LINUX",
        "onboarded": True,
        "privacy": "OPEN",
        "capabilities": "BLENDED",
        "mechanism": "MANUAL",
        "automaticUnload": False,
    }


def model():
    return {
        "schema": SCHEMA,
        "id": MODEL_ID,
        "name": "GPT-3.5-turbo Chat Model",
        "version": "1.0",
        "created": timestamp(),
        "type": "SPEED",
        "usage": "OCR",
        "cloud": True,
        "foundation": "GPT_3.5",
        "downloaded": True,
    }


def flat_format(asset_id, format_id, transferables):
    content = text(R.randint(1000, 2000))
    fragment = {"metadata": {"ext": "py"}}
    if transferables:
        fragment["string"] = {"raw": content}
    kind = {"generic": "CODE", "specific": R.choice(["py", "ts", "js", "dart", "rs"]), "rendering": "HIGHLIGHT_JS_HTML"}
    return {
        "schema": SCHEMA,
        "id": format_id,
        "creator": "user-1",
        "classification": kind,
        "role": "BOTH",
        "application": application(),
        "asset": asset_id,
        "bytes": {"value": len(content), "readable": "1.5 kB"},
        **times(),
        "fragment": fragment,
    }


def full_format(asset_id, name, format_id, format_ids, transferables):
    analysis = uid()
    document = flat_format(asset_id, format_id, transferables)
    document["asset"] = {
        "schema": SCHEMA,
        "id": asset_id,
        "name": name,
        "creator": "user-1",
        **times(),
        "synced": timestamp(),
        "formats": {"iterable": [{"id": f} for f in format_ids]},
        "preview": {"base": format_ids[0]},
        "original": format_ids[0],
        "mechanism": "MANUAL",
        "favorited": False,
    }
    document["analysis"] = {
        "id": analysis,
        "format": format_id,
        "code": {
            "id": uid(),
            "analysis": analysis,
            "type": "CODE",
            "language": "Python",
            "model": model(),
            "prediction": {"py": 0.93, "js": 0.03, "ts": 0.02},
            "top5Sorted": ["py", "js", "ts", "rs", "dart"],
        },
    }
    return document


def tag(asset_id):
    return {
        "schema": SCHEMA,
        "id": uid(),
        "text": R.choice(WORDS),
        "mechanisms": {asset_id: "AUTOMATIC"},
        "assets": references(asset_id),
        **times(),
        "category": "UNKNOWN",
        "interactions": 0,
        "score": score(),
    }


def website(asset_id=None):
    asset_id = asset_id or uid()
    return {
        "schema": SCHEMA,
        "id": uid(),
        "url": "https://example.com/" + uid(),
        "name": "Example page " + R.choice(WORDS),
        "assets": references(asset_id),
        **times(),
        "mechanisms": {asset_id: "MANUAL"},
        "interactions": 1,
        "score": score(),
    }


def small_anchor(asset_id):
    return {
        "schema": SCHEMA,
        "id": uid(),
        "type": "FILE",
        "watch": True,
        "name": "src/" + R.choice(WORDS) + ".py",
        "points": some(1),
        **times(),
        "assets": references(asset_id),
        "score": score(),
    }


def anchor():
    document = small_anchor(uid())
    point = uid()
    document["points"] = {
        "iterable": [
            {
                "id": point,
                "reference": {
                    "id": point,
                    "anchor": {"id": document["id"]},
                    **times(),
                    "platform": "LINUX",
                    "verified": True,
                    "fullpath": "/srv/users/project/src/" + R.choice(WORDS) + ".py",
                },
            }
        ]
    }
    document |= {"annotations": some(3), "conversations": some(2), "summaries": some(2), "tags": some(2)}
    return document


def annotation(asset_id):
    return {
        "schema": SCHEMA,
        "id": uid(),
        **times(),
        "mechanism": "AUTOMATIC",
        "asset": {"id": asset_id},
        "type": R.choice(["DESCRIPTION", "SUMMARY"]),
        "text": text(200),
        "favorited": False,
    }


def summary(asset_id):
    return {
        "schema": SCHEMA,
        "id": uid(),
        **times(),
        "name": "Summary " + R.choice(WORDS),
        "model": model(),
        "assets": references(asset_id),
        "events": some(4),
        "mechanism": "AUTOMATIC",
    }


def asset(transferables=True):
    asset_id, name = uid(), "Snippet " + text(20).strip().replace("\n", " ")
    format_ids = [uid() for _ in range(R.choice([2, 3]))]
    original = flat_format(asset_id, format_ids[0], transferables)
    return {
        "schema": SCHEMA,
        "id": asset_id,
        "name": name,
        "creator": "user-1",
        **times(),
        "synced": timestamp(),
        "interacted": timestamp(),
        "mechanism": "MANUAL",
        "favorited": R.random() < 0.2,
        "discovered": False,
        "pseudo": False,
        "demo": False,
        "formats": {
            "schema": SCHEMA,
            "iterable": [full_format(asset_id, name, f, format_ids, transferables) for f in format_ids],
        },
        "original": {"schema": SCHEMA, "id": format_ids[0], "reference": original},
        "preview": {"schema": SCHEMA, "base": {"id": format_ids[0], "reference": original}},
        "tags": full([tag(asset_id) for _ in range(3)]),
        "websites": full([website(asset_id) for _ in range(R.randint(1, 2))]),
        "anchors": full([small_anchor(asset_id)]),
        "annotations": full([annotation(asset_id) for _ in range(2)]),
        "summaries": full([summary(asset_id)]),
        "score": score(),
    }


def workstream_event():
    return {
        "schema": SCHEMA,
        "id": uid(),
        "application": application(),
        **times(),
        "trigger": {"check_in": True, "copy": False, "paste": False},
        "score": score(),
        "readable": text(300),
        "windowTitle": "main.py - project - VS Code",
        "browserUrl": "https://example.com/" + uid(),
        "processing": "LOCAL",
        "summaries": some(1),
        "websites": some(1),
        "tags": some(2),
        "anchors": some(1),
        "source_windows": some(1),
        "sources": some(1),
    }


# Where pages that were made once are kept, for all processes of one run.
FOLDER = "PIECES_ORM_BENCHMARKS"

MAKERS = {"assets": asset, "anchors": anchor, "websites": website, "workstream_events": workstream_event}


def collection(kind, n, seed=7, **options):
    """The document of a whole collection: kind as in MAKERS, n members; options go to the maker (transferables)."""
    R.seed(seed)
    return full([MAKERS[kind](**options) for _ in range(n)])


def page(kind, n):
    """The bytes of a whole collection; made once in a run."""
    folder = os.environ.get(FOLDER)
    file = None if folder is None else pathlib.Path(folder) / f"{kind}-{n}.json"
    if file is not None and file.exists():
        return file.read_bytes()
    data = json.dumps(collection(kind, n), ensure_ascii=False, separators=(",", ":")).encode()
    if file is not None:
        file.write_bytes(data)
    return data


if __name__ == "__main__":
    json.dump(collection(sys.argv[1], int(sys.argv[2])), sys.stdout, ensure_ascii=False, separators=(",", ":"))
