"""The language of a text: stated by the client, told by the file's name, or detected in the content."""

import re
import threading
import time
from pathlib import Path

import magika
import pytest

from pieces_orm.server.languages import content, detection, names
from pieces_orm.server.request_errors import RequestError
from pieces_orm.values import languages
from tests.server.support import Wire, contract, program

SNIPPETS = {
    "py": [
        "def add(a, b):\n    return a + b",
        "import os\nprint(os.getcwd())",
        "class A(B):\n    pass",
        "for i in range(3):\n    print(i)",
        "x = [n * n for n in range(9)]\nprint(x)",
        "with open('f') as f:\n    data = f.read()",
        "#!/usr/bin/env python3\nx = 1",
    ],
    "js": [
        "const add = (a, b) => a + b;",
        "function f(x) {\n  return x * 2;\n}",
        "console.log('tide');",
        "const fs = require('fs');\nmodule.exports = fs;",
        "let x = 5;\nif (x === 5) { alert(x); }",
    ],
    "ts": [
        "interface Tide {\n  height: number;\n  name: string;\n}",
        "const x: number = 5;\nfunction f(a: string): void {}",
        "export type Id = string | number;",
    ],
    "rs": [
        'fn main() {\n    println!("tide");\n}',
        'let mut v = Vec::new();\nfor x in &v { println!("{}", x); }',
        "pub struct Tide {\n    height: f64,\n}\nimpl Tide {\n    fn new() -> Self { Tide { height: 0.0 } }\n}",
    ],
    "go": [
        'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("hi")\n}',
        "func add(a int, b int) int {\n\treturn a + b\n}",
        "if err != nil {\n\treturn err\n}\nx := 5",
    ],
    "java": [
        'public class A {\n  public static void main(String[] args) {\n    System.out.println("x");\n  }\n}',
        "import java.util.List;\n\nprivate final List<String> names = new ArrayList<>();",
    ],
    "cs": ["using System;\n\nnamespace Tides {\n  class A {\n    static void Main() { Console.WriteLine(1); }\n  }\n}"],
    "cpp": [
        "#include <iostream>\nint main() { std::cout << 1; }",
        "template <typename T>\nT add(T a, T b) { return a + b; }\nstd::vector<int> v;",
    ],
    "c": ['#include <stdio.h>\nint main(void) {\n  printf("x");\n  return 0;\n}'],
    "rb": ["def add(a, b)\n  a + b\nend", "[1, 2].each do |x|\n  puts x\nend"],
    "php": ["<?php\necho $x;\n"],
    "sh": [
        "#!/bin/bash\necho hi",
        'for f in *.txt; do\n  echo "$f"\ndone',
        "sudo apt-get update && sudo apt-get install git",
        "export PATH=$PATH:/usr/local/bin\ncd /tmp",
    ],
    "sql": [
        "SELECT name FROM tides WHERE height > 2;",
        "create table t (id integer primary key);",
        "UPDATE t SET a = 1",
    ],
    "html": ["<!DOCTYPE html>\n<html><body><p>x</p></body></html>", '<div class="a"><span>x</span></div>'],
    "xml": ['<?xml version="1.0"?>\n<a><b/></a>'],
    "css": ["body {\n  color: red;\n  margin: 0;\n}", ".a, .b { padding: 2px; }"],
    "json": ['{"a": [1, 2, {"b": null}]}', '[{"id": 1}]'],
    "yaml": ["name: ci\non:\n  push:\n    branches: [main]\n", "version: '3'\nservices:\n  web:\n    image: nginx"],
    "toml": ['[project]\nname = "tide"\nversion = "1.0"\n'],
    "md": ["# Tides\n\nSome *text* and a [link](https://x.example).\n", "## Use\n\n- one\n- two\n"],
    "kt": ["fun add(a: Int, b: Int): Int = a + b\nval x = add(1, 2)\nprintln(x)"],
    "swift": ["import Foundation\nfunc add(a: Int, b: Int) -> Int {\n  return a + b\n}\nlet x: Int = 5"],
    "lua": ["local x = 5\nfunction f(a)\n  if a then return x end\nend"],
    "r": ["f <- function(x) {\n  x + 1\n}\ny <- c(1, 2)"],
    "hs": ["module Main where\n\nadd :: Int -> Int -> Int\nadd a b = a + b"],
    "pl": ['use strict;\nmy $x = 5;\nprint "$x\\n";'],
    "ps1": ["Get-ChildItem | Where-Object { $_.Length -gt 5 }"],
    "dockerfile": ['FROM python:3.11\nRUN pip install x\nCMD ["x"]'],
    "txt": [
        "",
        "hello there",
        "Meet me at the harbour at noon.\nBring the tide tables.",
        "1 2 3",
        "buy milk, eggs and bread",
        "The function of the tide is to import salt from the sea; class dismissed.",
        "TODO: call Ada",
        "a: b",
    ],
}


@pytest.mark.parametrize("ext", SNIPPETS)
def test_snippets_are_recognised(ext):
    found = {text: detection.classify(text, text.encode())["specific"] for text in SNIPPETS[ext]}
    assert set(found.values()) == {ext}, {text: other for text, other in found.items() if other != ext}


def test_a_two_line_python_function_is_py():
    assert detection.classify("def tide(hour):\n    return hour", b"")["specific"] == "py"


def test_a_stated_language_goes_before_the_name_and_the_name_before_the_content():
    text = "def tide(hour):\n    return hour"
    assert detection.classify(text, b"", ext="rs", name="a.go")["specific"] == "rs"
    assert detection.classify(text, b"", ext="Rust", name="a.go")["specific"] == "rs"
    assert detection.classify(text, b"", ext="", name="a.go")["specific"] == "go"
    with pytest.raises(RequestError, match="Unknown language 'nonsense'"):
        detection.classify(text, b"", ext="nonsense", name="a.go")
    assert detection.classify(text, b"", name="a heading")["specific"] == "py"


@pytest.mark.parametrize(
    ("name", "ext"),
    [
        ("tide.py", "py"),
        ("src/tide.TSX", "tsx"),
        ("Dockerfile", None),
        ("Gemfile", "Gemfile"),
        ("a.b.rs", "rs"),
        ("tide", None),
        ("README.md", "md"),
        ("x.unheardof", None),
        ("script.cjs", "js"),
        ("C:\\x\\y.cs", "cs"),
        ("see a.py", "py"),
        ("made by me.py", "py"),
        ("my notes/on tides.MD", "md"),
        ("a Gemfile", None),
        ("It ends. With words", None),
        ("it ends.", None),
        (" .", None),
        ("", None),
    ],
)
def test_names_tell_languages(name, ext):
    assert names.from_filename(name) == ext


def test_every_answer_is_a_member_of_the_published_enum():
    members = set(contract()["components"]["schemas"]["ClassificationSpecificEnum"]["enum"])
    assert members - {"UNKNOWN"} == languages.known_languages()
    signs = {language for language, _ in content.signs()}
    interpreters, labels = set(content._INTERPRETERS.values()), set(content._LABELS.values())
    images = {extension for _, extension in detection._MAGIC}
    assert signs | interpreters | labels | images | set(languages.language_by_suffix().values()) <= members


@pytest.mark.parametrize(
    ("interpreter", "ext"),
    [
        ("/usr/bin/env python3", "py"),
        ("/usr/bin/python3.11 -u", "py"),
        ("/bin/bash", "sh"),
        ("/bin/dash", "sh"),
        ("/usr/bin/zsh", "zsh"),
        ("/usr/bin/env -S deno run", "ts"),
        ("/usr/bin/env node", "js"),
        ("/usr/bin/lua5.3", "lua"),
        ("/usr/bin/Rscript", "r"),
        ("/usr/bin/env pwsh", "ps1"),
    ],
)
def test_a_shebang_tells_the_language(interpreter, ext):
    assert content.from_content(f"#!{interpreter}\nx = 1") == ext


@pytest.mark.parametrize(
    ("data", "ext"),
    [
        (b"\xff\xd8\xff\xe0", "jpg"),
        (b"GIF89a", "gif"),
        (b"RIFF\0\0\0\0WEBP", "webp"),
        (b"BM\x9a\0\0", "bmp"),
        (b"\0\x01\x02", None),
    ],
)
def test_images_are_known_by_how_they_begin(data, ext):
    assert detection.image_type(data) == ext


def test_detection_stays_fast_on_hostile_texts():
    content.from_content("the model is loaded before the clock runs")
    for text in (
        "(" * 20_000,
        "a " * 10_000,
        "<a" * 10_000,
        "x: " * 7_000,
        "\n" * 20_000 + "x",
        "[" * 20_000,
        "def f(" * 4_000,
        "a, " * 7000,
        "const " + "x, " * 7000,
        "<a>" * 6000,
        "'\"" * 9000,
        "-" * 20_000,
        "def a\n" * 5000,
        "- a: b\n" * 5000,
        "function (" * 3000,
        ("<a" + " b" * 70 + "\n") * 200,
        "[a](" * 6000,
        "a{\n" * 6000,
        " " * 20_000 + "x",
        "select " + "a," * 9000,
    ):
        begun = time.perf_counter()
        detection.classify(text, b"")
        assert time.perf_counter() - begun < 1, text[:10]


def test_a_language_is_found_at_least_as_often_as_the_page_says():
    from .accuracy import by_server, held_out, shares, tuned

    page = (Path(__file__).parents[3] / "docs" / "performance.md").read_text("utf-8")
    row = re.search(r"\| the server: .*? \| (\d+)% of (\d+) \| (\d+)% of (\d+) \|", page)
    promised = [int(number) for number in row.groups()]
    measured = [
        number for snippets in (tuned(), held_out()) for number in (shares(by_server, snippets)[0], len(snippets))
    ]
    assert promised[1::2] == measured[1::2], "python -m tests.server.languages.accuracy"
    assert all(share * 100 > least - 1 for share, least in zip(measured[::2], promised[::2], strict=True)), measured


def test_the_model_is_loaded_only_for_a_text_that_nothing_else_tells():
    code = """
        import sys
        import pieces_orm
        from pieces_orm.server import Server

        def loaded():
            return sorted({"magika", "numpy", "onnxruntime"} & set(sys.modules))

        with Server() as server, pieces_orm.connect(server.url) as session:
            session.assets.create("def tide(hour):", language="py")
            session.assets.create("def tide(hour):", name="tide.py")
            session.assets.create("#!/bin/sh", name="tide")
            print(loaded())
            session.assets.create("def tide(hour):", name="tide")
            print(loaded())
    """
    process = program(code)
    out, err = process.communicate(timeout=60)
    assert (out.splitlines(), err) == (["[]", "['magika', 'numpy', 'onnxruntime']"], "")


def test_requests_are_answered_while_the_model_loads_once(shared, monkeypatch, request):
    loading, go_on, loads = threading.Event(), threading.Event(), []

    class SlowMagika(magika.Magika):
        def __init__(self):
            loads.append(self)
            loading.set()
            assert go_on.wait(20)
            super().__init__()

    monkeypatch.setattr(magika, "Magika", SlowMagika)
    content._load_model.cache_clear()
    request.addfinalizer(content._load_model.cache_clear)
    seed, found = shared.asset_seed({"string": {"raw": "def tide(hour):\n    return hour"}}), []

    def create():
        asset = Wire(shared.server).post("/assets/create", seed)
        found.append(asset["original"]["reference"]["classification"]["specific"])

    def draft():
        drafted = Wire(shared.server).post("/assets/draft", seed)
        found.append(drafted["asset"]["format"]["fragment"]["metadata"]["ext"])

    creating = [threading.Thread(target=create), threading.Thread(target=draft)]
    for thread in creating:
        thread.start()
    assert loading.wait(20)
    assert shared.ask("GET", "/.well-known/health").ok
    assert isinstance(shared.get("/tags")["iterable"], list)
    assert found == []
    go_on.set()
    for thread in creating:
        thread.join(20)
    assert found == ["py", "py"]
    assert len(loads) == 1
