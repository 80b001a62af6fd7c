"""How often the language of a text is found from the text alone: `python -m tests.server.accuracy` prints the tables.

The snippets of `held_out.txt` were written after the rules and are never tuned against; those of `test_language.py` are
what the rules were tuned with. The other candidate is the guess of Pygments' lexers.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from pygments.lexers import guess_lexer
from pygments.util import ClassNotFound

from pieces_orm.server.languages import detection

from .test_language import SNIPPETS


def held_out():
    """The snippets with their labels."""
    text = Path(__file__).with_name("held_out.txt").read_text("utf-8")
    return [tuple(part.split("\n", 1)) for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]]


def tuned():
    """The snippets that the rules were tuned with."""
    return [(label, text) for label, texts in SNIPPETS.items() for text in texts]


def by_rules(text):
    """What the server finds."""
    return detection.classify(text, text.encode(), ext=None, name="")["specific"]


# What Pygments calls by another extension.
_SAME = {"htm": "html", "bash": "sh", "h": "c", "cc": "cpp", "yml": "yaml", "pm": "pl", "text": "txt"}


def by_pygments(text):
    """The first extension of the lexer that Pygments guesses."""
    try:
        names = guess_lexer(text).filenames
    except ClassNotFound:
        return "txt"
    first = names[0].rpartition(".")[2] if names else "txt"
    return _SAME.get(first, first)


def accuracy(find, snippets):
    """How many are found, and of each label how many of how many."""
    found, all_of = Counter(), Counter()
    for label, text in snippets:
        all_of[label] += 1
        found[label] += find(text) == label
    labels = {label: (found[label], all_of[label]) for label in sorted(all_of)}
    return sum(found.values()) / sum(all_of.values()), labels


def tables():
    """The page's two tables, as Markdown."""
    rows = ["| candidate | tuned with | held out |", "|---|---|---|"]
    for name, find in (("the server's rules", by_rules), ("Pygments' `guess_lexer`", by_pygments)):
        shares = [f"{accuracy(find, snippets)[0]:.0%} of {len(snippets)}" for snippets in (tuned(), held_out())]
        rows.append(f"| {name} | {' | '.join(shares)} |")
    _, labels = accuracy(by_rules, held_out())
    missed = ", ".join(f"{label} {found} of {all_of}" for label, (found, all_of) in labels.items() if found < all_of)
    return "\n".join([*rows, "", f"Of {len(labels)} languages held out, found less than always: {missed or 'none'}."])


if __name__ == "__main__":
    print(tables())
