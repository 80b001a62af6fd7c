"""The export of one asset as Markdown, HTML or plain text."""

from __future__ import annotations

import base64
import csv
import html
import io
import re
from collections.abc import Callable, Mapping

from attrs import frozen

from ...values import AnnotationType, GenericClassification
from ...wire.kinds import ASSET, FORMAT
from ..domain import ages
from ..domain.contents import contents_of
from ..domain.materials import own_keys, related_ids, require_row
from ..domain.relations import end_of
from ..http.requests import Request
from ..json_values import json_text
from ..request_errors import RequestError
from ..storage.reader import Reader

_TABLES = {"csv": ",", "tsv": "\t"}
# A text whose rows would grow by more than this, as one long row among many short ones makes them, is no table.
_MAX_PADDING = 4
_MARKDOWN = {"md", "markdown", "mdown", "mdwn", "markdn"}
_BACKTICKS = re.compile("`+")
# Characters that mean something within a line of Markdown.
_MARKDOWN_ESCAPES = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>&|~"} | {"\n": " ", "\r": " "})

Cells = list[list[str]]


@frozen
class _Exported:
    """The contents of an asset as an export shows them; `text` is None for an image, whose bytes are `data`."""

    name: str
    language: str
    text: str | None
    data: bytes

    @property
    def image_url(self) -> str:
        return f"data:image/{self.language};base64,{base64.b64encode(self.data).decode()}"

    def cells(self) -> Cells:
        """Read the text as a table, with rows of the same length; empty when it is none."""
        if self.text is None or self.language not in _TABLES:
            return []
        try:
            rows = list(csv.reader(io.StringIO(self.text, newline=""), delimiter=_TABLES[self.language]))
        except csv.Error:
            return []
        rows = [row for row in rows if row]
        width = max(map(len, rows), default=0)
        if width < 2 or width * len(rows) > _MAX_PADDING * sum(map(len, rows)):
            return []
        return [row + [""] * (width - len(row)) for row in rows]


def export(request: Request) -> str:
    """Answer an asset's name, description and contents, these in the format that the query asks for."""
    asked = request.query.get("export_type", "").upper()
    if asked not in _RENDERERS:
        raise RequestError(400, f"export_type must be one of {', '.join(_RENDERERS)}.")
    with request.service.store.read() as reader:
        row = require_row(reader, ASSET, request.params["asset"], ASSET.missing_status)
        name = str(own_keys(row).get("name") or "")
        description = _description(reader, row.id)
        exported = _contents(reader, row.id, name)
    answer = {
        "name": name,
        "description": description,
        "created": ages.with_age(row.created, ages.this_minute()),
        "raw": {"string": {"raw": _RENDERERS[asked](exported)}},
    }
    return json_text(answer)


def _description(reader: Reader, asset: str) -> str:
    end = end_of(ASSET, "annotations")
    ids = related_ids(reader, end, ASSET, asset)
    own = {row.id: own_keys(row) for row in reader.rows(end.other.name, ids)} if ids else {}
    found = (own[id] for id in ids if id in own and own[id].get("type") == AnnotationType.DESCRIPTION)
    return next((str(each.get("text", "")) for each in found), "")


def _contents(reader: Reader, asset: str, name: str) -> _Exported:
    """Read an asset's text or image.

    Raises:
        RequestError: 400, it is neither.
    """
    [format] = related_ids(reader, end_of(ASSET, "formats"), ASSET, asset)
    own = own_keys(require_row(reader, FORMAT, format))
    contents, classification = contents_of(own), own["classification"]
    is_image = classification["generic"] == GenericClassification.IMAGE
    if contents.text is None and not is_image:
        raise RequestError(400, "Only text and images can be exported; read the asset's bytes from its format.")
    return _Exported(name, classification["specific"], None if is_image else contents.text, contents.data)


def _markdown(exported: _Exported) -> str:
    text, language = exported.text, exported.language
    if text is None:
        return f"![{exported.name.translate(_MARKDOWN_ESCAPES)}]({exported.image_url})\n"
    if language in _MARKDOWN:
        return text
    cells = [[cell.translate(_MARKDOWN_ESCAPES) for cell in row] for row in exported.cells()]
    if cells:
        lines = [f"| {' | '.join(row)} |" for row in [cells[0], ["---"] * len(cells[0]), *cells[1:]]]
        return "\n".join(lines) + "\n"
    # Longer than any run of backticks in the text, which would end it.
    fence = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    return f"{fence}{language}\n{text}{'' if text.endswith(chr(10)) else chr(10)}{fence}\n"


def _html(exported: _Exported) -> str:
    if exported.text is None:
        return f'<img alt="{html.escape(exported.name)}" src="{exported.image_url}">\n'
    if cells := exported.cells():
        head, *body = ("".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) for tag, row in _tagged(cells))
        rows = "".join(f"<tr>{row}</tr>\n" for row in body)
        return f"<table>\n<thead>\n<tr>{head}</tr>\n</thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
    language = html.escape(exported.language)
    return f'<pre><code class="language-{language}">{html.escape(exported.text)}</code></pre>\n'


def _tagged(cells: Cells) -> list[tuple[str, list[str]]]:
    """Pair each row with the tag of its cells: those of the first are headings."""
    return [("td" if place else "th", row) for place, row in enumerate(cells)]


def _plain(exported: _Exported) -> str:
    return exported.image_url if exported.text is None else exported.text


# The published types; UNKNOWN asks for no format at all.
_RENDERERS: Mapping[str, Callable[[_Exported], str]] = {"MD": _markdown, "HTML": _html, "UNKNOWN": _plain}
