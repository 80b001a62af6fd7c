"""Measure how often the language of a text is found from the text alone.

    python -m tests.server.languages.accuracy              the snippets of this folder
    python -m tests.server.languages.accuracy FOLDER ...   also chunks of the files in these folders, and each sign

The snippets of `held_out.txt` were written before the signs and are never tuned against; those of `test_detection.py`
are promises, which the signs were tuned with. Chunks are cut from files whose extension says their language, at the
same places in every run.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections import defaultdict
from pathlib import Path

from pygments.lexers import guess_lexer
from pygments.util import ClassNotFound

from pieces_orm.server.languages import content

from .test_detection import SNIPPETS

CHUNK_LINES = (3, 5, 12, 40)
CHUNKS_PER_LANGUAGE = 40  # of each size
MAX_FILE_BYTES = 300_000
# Files of these extensions are cut into chunks; a name is given once for what is one language to whoever looks for it.
SAME = {
    **dict.fromkeys(("htm", "xhtml"), "html"),
    **dict.fromkeys(("mjs", "cjs", "jsx"), "js"),
    **dict.fromkeys(("cc", "hpp", "cxx"), "cpp"),
    **dict.fromkeys(("bash", "zsh"), "sh"),
    "exs": "ex",
    "h": "c",
    "hcl": "tf",
    "kts": "kt",
    "pm": "pl",
    "psm1": "ps1",
    "svg": "xml",
    "text": "txt",
    "tsx": "ts",
    "yml": "yaml",
}
LANGUAGES = set(SAME.values()) | set(
    re.findall(
        r"\w+",
        """
    bat clj cs css dart dockerfile erl go groovy hs ini java jl json lua md php py r rb rs scala scss sql swift tex toml
    vue zig
""",
    )
)


def canonical(extension):
    return SAME.get(extension, extension)


def held_out():
    """Read the labelled snippets that nothing is tuned against."""
    text = Path(__file__).with_name("held_out.txt").read_text("utf-8")
    return [tuple(part.split("\n", 1)) for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]]


def tuned():
    """List the labelled snippets that the signs were tuned with."""
    return [(label, text) for label, texts in SNIPPETS.items() for text in texts]


def chunks(folders):
    """Cut labelled chunks out of files; each begins with a line that is not blank."""
    chance, files = random.Random(7), defaultdict(list)
    for path in sorted(path for folder in folders for path in Path(folder).rglob("*")):
        label = canonical("dockerfile" if path.name.endswith("Dockerfile") else path.suffix[1:].lower())
        if label in LANGUAGES and path.is_file() and path.stat().st_size < MAX_FILE_BYTES:
            files[label].append(path)
    found = {size: [] for size in CHUNK_LINES}
    for label, paths in sorted(files.items()):
        chance.shuffle(paths)
        for size, cut in found.items():
            pieces = (piece for path in paths if (piece := chunk(path, size, chance)))
            cut.extend((label, piece) for piece, _ in zip(pieces, range(CHUNKS_PER_LANGUAGE), strict=False))
    return found


def chunk(path, size, chance):
    """Cut one chunk of a file, None where it is too short or blank."""
    lines = path.read_text("utf-8", "replace").splitlines()
    if len(lines) < size:
        return None
    start, last = chance.randrange(len(lines) - size + 1), len(lines) - size
    while start < last and not lines[start].strip():
        start += 1
    cut = lines[start : start + size]
    return "\n".join(cut) if sum(bool(line.strip()) for line in cut) >= 0.6 * size else None


def by_server(text):
    return content.from_content(text) or "txt"


def by_magika(text):
    return content.ask_model(text)[0] or "txt"


def by_signs(text):
    return content.find_sign(text) or "txt"


def by_pygments(text):
    """Name the first extension of the lexer that Pygments guesses."""
    try:
        names = guess_lexer(text).filenames
    except ClassNotFound:
        return "txt"
    return names[0].rpartition(".")[2] if names else "txt"


CANDIDATES = {
    "the server: magika and signs": by_server,
    "magika alone": by_magika,
    "the signs alone": by_signs,
    "Pygments' `guess_lexer`": by_pygments,
}


def shares(find, snippets):
    """Return which part of the snippets gets its language, which part another one, and milliseconds for each."""
    begun = time.perf_counter()
    found = [(canonical(label), canonical(find(text))) for label, text in snippets]
    each = (time.perf_counter() - begun) * 1000 / len(snippets)
    right = sum(label == answer for label, answer in found)
    wrong = sum(answer not in {label, "txt"} for label, answer in found)
    return right / len(found), wrong / len(found), each


def snippet_table():
    rows = ["| candidate | tuned with | held out |", "|---|---|---|"]
    for name, find in CANDIDATES.items():
        cells = [f"{shares(find, snippets)[0]:.0%} of {len(snippets)}" for snippets in (tuned(), held_out())]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def chunk_table(found):
    """Tabulate which part of the chunks each candidate finds, and in brackets which part it calls another language."""
    sizes = [f"{size} lines" for size in CHUNK_LINES]
    rows = [f"| candidate | {' | '.join(sizes)} | ms |", "|---" * (len(sizes) + 2) + "|"]
    for name, find in CANDIDATES.items():
        measured = [shares(find, snippets) for snippets in found.values()]
        cells = [f"{right:.0%} ({wrong:.0%})" for right, wrong, _ in measured]
        each = sum(milliseconds for *_, milliseconds in measured) / len(measured)
        rows.append(f"| {name} | {' | '.join(cells)} | {each:.1f} |")
    labels = {label for snippets in found.values() for label, _ in snippets}
    return "\n".join([*rows, "", f"{sum(map(len, found.values()))} chunks in {len(labels)} languages."])


def sign_table(found):
    """Tabulate how often each sign and the model are right where the model is not certain and the sign decides."""
    counts = defaultdict(lambda: [0, 0, 0])
    for label, text in (each for snippets in found.values() for each in snippets):
        guess, score = content.ask_model(text)
        if guess is None or score < content.CERTAIN_SCORE:
            excerpt = content.beginning(text)
            for language, sign in content.signs():
                if content.has_sign(sign, excerpt):
                    count = counts[language, sign.pattern]
                    count[0] += 1
                    count[1] += canonical(label) == canonical(language)
                    count[2] += canonical(label) == canonical(guess or "txt")
                    break
    rows = ["| sign | found in | sign right | model right |", "|---|---|---|---|"]
    for language, sign in content.signs():
        cells = " | ".join(map(str, counts[language, sign.pattern]))
        rows.append(f"| {language} {sign.pattern[:50]} | {cells} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(snippet_table())
    if sys.argv[1:]:
        cut = chunks(sys.argv[1:])
        print("", chunk_table(cut), "", sign_table(cut), sep="\n")
