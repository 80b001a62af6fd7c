"""The pages, and the Python in them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets(page):
    """The Python blocks of a page as one program whose line numbers are the page's."""
    text = page.read_text("utf-8")
    lines = [""] * len(text.splitlines())
    for block in _BLOCK.finditer(text):
        if block[1] == "python":
            first = text[: block.start(2)].count("\n")
            code = block[2].splitlines()
            lines[first : first + len(code)] = code
    return "\n".join(lines) + "\n"
