"""Exports of an asset as Markdown, HTML and plain text."""

import base64
import html

import pytest

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def export(shared, asset, kind):
    answer = shared.get(f"/asset/{asset['id']}/export?export_type={kind}")
    return answer["raw"]["string"]["raw"]


def make(shared, text, ext, **metadata):
    fragment = {"string": {"raw": text}, "metadata": {"ext": ext}}
    return shared.post("/assets/create", shared.asset_seed(fragment, **metadata))


def test_an_export_tells_name_description_and_age(shared):
    asset = shared.make_asset("print('tide')", name="tide.py", description="Prints the tide")
    answer = shared.get(f"/asset/{asset['id']}/export?export_type=MD")
    assert (answer["name"], answer["description"]) == ("tide.py", "Prints the tide")
    assert answer["created"] == asset["created"]
    assert answer["raw"]["string"]["raw"] == "```py\nprint('tide')\n```\n"
    bare = shared.make_asset("x = 1", name="x.py")
    assert shared.get(f"/asset/{bare['id']}/export?export_type=md")["description"] == ""


@pytest.mark.parametrize("ticks", [0, 1, 3, 4, 17])
def test_a_code_fence_is_longer_than_any_run_of_backticks_within(shared, ticks):
    text = f"print('{'`' * ticks}')\n{'`' * ticks}\nprint('`')"
    first, *lines, last, end = export(shared, make(shared, text, "py"), "MD").split("\n")
    assert "\n".join(lines) == text
    assert (first, end) == (f"{last}py", "")
    assert set(last) == {"`"}
    assert len(last) == max(3, ticks + 1)


def test_markdown_is_exported_as_it_is_and_a_table_as_a_table(shared):
    text = "# Tides\n\n```\nlow\n```\n"
    assert export(shared, make(shared, text, "md"), "MD") == text
    rows = 'port,high,note\nBrest,6.3,"a | b"\nDover,5.1\nCork,"4.0","two\nlines <b>"\n'
    markdown = export(shared, make(shared, rows, "csv"), "MD")
    assert markdown.splitlines() == [
        "| port | high | note |",
        "| --- | --- | --- |",
        "| Brest | 6.3 | a \\| b |",
        "| Dover | 5.1 |  |",
        "| Cork | 4.0 | two lines \\<b\\> |",
    ]
    page = export(shared, make(shared, rows, "csv"), "HTML")
    assert page.startswith("<table>\n<thead>\n<tr><th>port</th><th>high</th><th>note</th></tr>")
    assert "<tr><td>Cork</td><td>4.0</td><td>two\nlines &lt;b&gt;</td></tr>" in page
    # One column, or nothing that can be read as a table, is no table.
    ragged = "," * 20_000 + "\n" + "a\n" * 20_000
    for plain in ("tide\nebb\n", "a\nb", f'a,"{"x" * 200_000}",b\n', ragged):
        assert export(shared, make(shared, plain, "csv"), "MD").startswith("```csv\n")


def test_html_escapes_what_is_exported(shared):
    text = "<script>alert(\"tide\")</script> & 'ebb'"
    page = export(shared, make(shared, text, "html"), "HTML")
    assert page == f'<pre><code class="language-html">{html.escape(text)}</code></pre>\n'
    assert "<script>" not in page


def test_an_image_is_exported_within_the_text(shared):
    encoded = base64.b64encode(PNG).decode()
    fragment = {"string": {"base64": encoded}}
    asset = shared.post("/assets/create", shared.asset_seed(fragment, name='a "tide" [x]<i>'))
    url = f"data:image/png;base64,{encoded}"
    assert export(shared, asset, "MD") == f'![a "tide" \\[x\\]\\<i\\>]({url})\n'
    assert export(shared, asset, "HTML") == f'<img alt="a &quot;tide&quot; [x]&lt;i&gt;" src="{url}">\n'


def test_the_plain_text_is_exported_when_no_format_is_named(shared):
    assert export(shared, shared.make_asset("x = 1\n", name="x.py"), "UNKNOWN") == "x = 1\n"


def test_what_cannot_be_exported_says_so(shared):
    asset = shared.make_asset("x = 1", name="x.py")
    for query in ("", "?export_type=", "?export_type=PDF"):
        refused = shared.ask("GET", f"/asset/{asset['id']}/export{query}")
        assert refused.status_code == 400
        assert "MD, HTML" in refused.text
    assert shared.status("GET", "/asset/none/export?export_type=MD") == 410
    raw = base64.b64encode(b"\0\1\2\xff").decode()
    binary = shared.post("/assets/create", shared.asset_seed({"string": {"base64": raw}}, name="tide"))
    assert shared.status("GET", f"/asset/{binary['id']}/export?export_type=MD") == 400
