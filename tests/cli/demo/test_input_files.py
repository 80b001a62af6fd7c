import os

import pytest

from pieces_orm.cli.demo.input_files import links_in, read_input, search_word
from pieces_orm.cli.errors import CommandError


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://example.org/a.", ["https://example.org/a"]),
        ("(https://example.org/a), <http://example.org/b>", ["https://example.org/a", "http://example.org/b"]),
        ("[a](https://example.org/wiki/Tide_(sea))", ["https://example.org/wiki/Tide_(sea)"]),
        ("'https://example.org/?q=1&r=[2]'", ["https://example.org/?q=1&r=[2]"]),
        ("https://example.org/a https://example.org/a", ["https://example.org/a"]),
        ("HTTPS://EXAMPLE.org/A", ["HTTPS://EXAMPLE.org/A"]),
        ("http://localhost:8000/x http://[::1]:80/y", ["http://localhost:8000/x", "http://[::1]:80/y"]),
        ("f'http://{host}/x' http://127.0.0.1:{port} https://$HOST/", []),
        ("http:// https://... http://[broken ftp://example.org http://intranet/x", []),
        ("https://user:secret@example.org/a", []),
        ("https://example.org: text, https://example.org/?{query}", ["https://example.org"]),
    ],
)
def test_links_are_found_without_the_punctuation_around_them(text, links):
    assert list(links_in(text)) == links


def test_files_are_read_in_a_stable_order_with_names_below_the_folder(folder):
    files = read_input(folder).files
    assert [file.name for file in files] == ["app.py", "tide.py", "docs/read.md"]
    assert [file.path.parent for file in files] == [folder, folder, folder / "docs"]
    moon, sun = "https://example.org/moon", "https://example.org/sun"
    assert [file.links for file in files] == [(), (moon, sun), (moon,)]


def test_what_is_left_out_is_counted_by_reason(folder):
    (folder / "huge.txt").write_bytes(b"x" * (1024 * 1024 + 1))
    (folder / "latin.txt").write_bytes(b"\xe4\xf6")
    (folder / ".git").mkdir()
    (folder / "nowhere").symlink_to(folder / "missing")
    os.mkfifo(folder / "pipe")
    assert read_input(folder).skipped == {
        "folders": 2, "hidden": 1, "empty": 1, "huge": 1, "binary": 2, "special": 2,
    }  # fmt: skip


def test_a_folder_of_tools_is_input_when_it_is_named_itself(tmp_path):
    inside = tmp_path / "site-packages" / "venv"
    inside.mkdir(parents=True)
    (inside / "a.py").write_text("x = 1\n")
    assert [file.name for file in read_input(inside).files] == ["a.py"]


def test_a_path_with_a_null_character_is_refused(tmp_path):
    with pytest.raises(CommandError, match="null byte"):
        read_input(tmp_path / "a\0b")


def test_the_word_to_look_for_is_in_several_files_but_not_in_most(folder):
    assert search_word(read_input(folder).files) == "height"
