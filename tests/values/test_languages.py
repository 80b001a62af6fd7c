"""Languages by the names that people use; each is one member of the wire's list."""

import pytest

from pieces_orm import InvalidValueError
from pieces_orm.values import AnchorType, Language, TagCategory
from pieces_orm.values.checking import named, page_address
from pieces_orm.values.languages import as_language, find_language, known_languages, spellings


@pytest.mark.parametrize(
    ("names", "language"),
    [
        (["py", "python", "Python", " PYTHON ", ".py", "PY", "python3"], "py"),
        (["py3"], "py3"),
        (["js", "JavaScript", "javascript", ".js", "cjs"], "js"),
        (["ts", "TypeScript"], "ts"),
        (["cpp", "C++", "c++", ".CPP"], "cpp"),
        (["cs", "C#", "csharp"], "cs"),
        (["objective-c", "Objective C", "objc"], "m"),
        (["sh", "shell", "Shell"], "sh"),
        (["bash"], "bash"),
        (["r", "R"], "r"),
        (["Gemfile", "gemfile"], "Gemfile"),
        ([".zshrc"], ".zshrc"),
        (["make", "Makefile"], "hljs-makefile"),
        (["png", "PNG", ".png"], "png"),
        (["go", "golang"], "go"),
        (["kotlin", "kts", "kt"], "kt"),
        (["klingon", "", " ", ".", "-"], None),
    ],
)
def test_a_language_is_found_by_its_names(names, language):
    assert {find_language(name) for name in names} == {language}


def test_every_member_is_its_own_name_in_any_case_and_every_name_leads_to_a_member():
    assert all(find_language(member) == member for member in known_languages())
    assert {find_language(member.upper()) for member in known_languages()} <= known_languages()


def test_spellings_are_members_of_one_language_and_no_member_is_of_two():
    assert set(spellings("yml")) == set(spellings("yaml")) == {"yaml", "yml", "hljs-yaml"}
    assert spellings("yml")[0] == "yml"
    assert spellings("csv") == spellings("csv")[:1] == ["csv"]
    assert spellings("klingon") == ["klingon"]
    assert all(
        set(spellings(other)) == set(spellings(member)) for member in known_languages() for other in spellings(member)
    )


def test_an_unknown_name_is_refused_with_names_like_it_and_the_way_to_pass_it():
    with pytest.raises(
        InvalidValueError, match=r"language takes a language .* not 'pyhton' \(did you mean 'python'"
    ) as caught:
        named(Language, "language", "pyhton")
    assert str(caught.value).endswith("pass pieces_orm.values.Language('pyhton').")
    assert type(named(Language, "language", Language("klingon"))) is Language
    with pytest.raises(InvalidValueError):
        named(Language, "language", Language(""))


def test_a_language_of_a_server_that_knows_more_is_told_by_its_class():
    assert (type(as_language("py")), type(as_language("klingon")), as_language("klingon")) == (str, Language, "klingon")


def test_a_member_of_an_enum_is_found_by_its_text_and_a_new_one_is_passed_on_purpose():
    assert named(AnchorType, "type", "FILE") is AnchorType.FILE
    assert named(AnchorType, "type", AnchorType("LINK")) == "LINK"
    with pytest.raises(InvalidValueError, match=r"\(UNKNOWN, FILE, DIRECTORY\), not 'file' \(did you mean 'FILE'\?\)"):
        named(AnchorType, "type", "file")
    with pytest.raises(InvalidValueError, match="takes AnchorType"):
        named(AnchorType, "type", TagCategory.EMAIL)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com", "http://localhost:8000/x?y#z", "https://[::1]:80/", "file:///tmp/x", "about:blank",
        "chrome://newtab", "mailto:a@b.example", "tel:12345", "https://ex\u00e4mple.com/\u00fc", "HTTPS://EXAMPLE.COM",
        "vscode-webview://x", "data:image/png;base64,AA", "urn:isbn:1",
    ],
)  # fmt: skip
def test_an_address_has_a_scheme(url):
    assert page_address("url", url) == url


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("example.com/x", "https://example.com/x"), ("localhost:8000/x", "https://localhost:8000/x"),
        ("www.example.com:80", "https://www.example.com:80"), ("//example.com", "https://example.com"),
        (" example.com", "https://example.com"), ("", None), ("x", None), ("https://", None), ("https:///x", None),
        ("https://a b", None), ("https://a:99999", None), ("http://[::1", None), ("https:x", None),
        ("not an address", None), ("/x/y", None), ("https://x\n.example", None),
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_the_one_that_was_meant(url, meant):
    with pytest.raises(InvalidValueError, match="takes an address with its scheme") as caught:
        page_address("url", url)
    assert (f"did you mean {meant!r}" in str(caught.value)) if meant else ("did you mean" not in str(caught.value))
