"""The pages, and the Python in them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REFERENCE = sorted((DOCS / "reference").glob("*.md"))
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *REFERENCE]

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


def links(page):
    """The targets of a page's links and images that lead to files, each as a path and a fragment."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("https://", "http://")):
            path, _, fragment = target.partition("#")
            yield (page.parent / path if path else page), fragment


def fragments(page):
    """The names by which links lead to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
