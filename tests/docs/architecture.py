"""Draws the pictures of docs/architecture.md: `python -m tests.docs.architecture` writes them to docs/figures."""

from __future__ import annotations

from functools import cache
from textwrap import wrap

from .drawing import arrow, box, layers, svg, text
from .pages import ROOT
from .rooms import PACKAGE, imports

FIGURES = ROOT / "docs" / "figures"

# The path of a document, in the order in which the modules see it: a module, and what it does.
READING = (
    ("transport/http.py", "sends GET on a pooled connection; retries lost reads"),
    ("documents/page_stream.py", "cuts a page into one slice of bytes for each material"),
    ("documents/answers.py", "refuses an answer that is no object with the requested id"),
    ("orm/identity_map.py", "finds or creates the one entity of the id, under the session's lock"),
    ("orm/state_changes.py", "applies the document, unless something newer is known already"),
    ("model/diff.py", "compares the new document with the known one, slice by slice"),
    ("signals.py", "announces the fields that changed"),
    ("orm/field_access.py", "decodes a field when it is read for the first time"),
)
SAVING = (
    ("orm/field_access.py", "validates the value and records the edit with the value it replaces"),
    ("orm/persistence.py", "reads the fresh document; a field that another program changed is a conflict"),
    ("documents/merging.py", "puts the edited keys into the fresh document, all other bytes as they came"),
    ("transport/http.py", "sends POST; repeats it only if it never arrived"),
)
WIDTH, STEP, SIDE, BAR = 340, 84, 24, 40
HALF = 31  # half the height of a box


@cache
def pictures() -> dict[str, str]:
    """Return each picture by the name of its file."""
    server = imports(f"{PACKAGE}.server")
    own = {path.stem for path in (ROOT / PACKAGE / "server").iterdir()}
    return {
        "layers.svg": layers("The folders and modules of pieces_orm, and what each imports", imports()),
        "server.svg": layers("The folders and modules of the server", server, frozenset(server) - own),
        "document.svg": document(),
    }


def document() -> str:
    """Draw the path of a document from the socket to a field, upwards, and of an edit back, downwards."""
    right, top = SIDE + WIDTH + SIDE, SIDE + BAR + 14
    bottom = top + STEP * len(READING)
    parts = [
        _bar(SIDE, "print(asset.name)", 'asset.name = "tide"; asset.save()'),
        _bar(bottom + 14, "the server's document", "the server's new document"),
    ]
    for column, steps, upwards in ((SIDE, READING[::-1], True), (right, SAVING, False)):
        space = (bottom - top) / len(steps)
        centres = [top + space * (number + 0.5) for number in range(len(steps))]
        uppers = [SIDE + BAR, *(centre + HALF for centre in centres)]
        lowers = [*(centre - HALF for centre in centres), bottom + 14]
        for points in zip(uppers, lowers, strict=True):
            ends = [(column + WIDTH / 2, y) for y in points]
            parts.append(arrow(ends[::-1] if upwards else ends))
        for centre, (module, words) in zip(centres, steps, strict=True):
            parts.append(box(column, centre - HALF, WIDTH, 2 * HALF))
            lines = [text(column + 12, centre - 12, module, "code")]
            lines += [
                text(column + 12, centre + 6 + 16 * number, line, "small")
                for number, line in enumerate(wrap(words, WIDTH // 7))
            ]
            parts += lines
    last = bottom + 14 + BAR + 30
    whole = right + WIDTH + SIDE
    parts.append(text(whole / 2, last, "The answer to a save is applied like any other document.", "small", "middle"))
    return svg("The path of a document from socket to field, and of an edit back", whole, last + SIDE, parts)


def _bar(y: float, reading: str, saving: str) -> str:
    """Return a bar across both columns, with the words of each."""
    return "\n".join([
        box(SIDE, y, 2 * WIDTH + SIDE, BAR, "program"),
        text(SIDE + WIDTH / 2, y + 25, reading, "code", "middle"),
        text(SIDE + WIDTH + SIDE + WIDTH / 2, y + 25, saving, "code", "middle"),
    ])  # fmt: skip


if __name__ == "__main__":
    for name, picture in pictures().items():
        (FIGURES / name).write_text(picture, encoding="utf-8")
