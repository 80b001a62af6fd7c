"""Which language a text is in, as the wire names languages: from what is said, from the name, from the content."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import PurePosixPath

import msgspec
from pygments.lexers import get_all_lexers

from ..refusals import RequestError
from .signs import SHEBANGS, SIGNS

# The members of ClassificationSpecificEnum.
_NAMES = """
    csx cs html htm shtml xhtml hs hs-boot hsig cpp cc cp cxx c h hh hpp hxx inl ipp ixx cppm csv doc docm docx exe
    gif ico jpe jpeg jpg jpgm jpgv log mp2 mp2a mp3 mp4 mp4a oga ogg ogv ogx ppt pptx pptm qt text tif tiff txt wav
    weba webm webp xla xlam xlc xlm xls xlsb xlsm xlsx xlt xltm xltx pdf png rpm zip woff woff2 svgz bin bmp eot gz
    jar mpkg ai eps dmg list rtx uri uris urls css dart java bsh js jsx mjs htc json ipynb gltf jsonml ps ssml wasm
    rtf cco pl pc pm pmc pod t xml tld dtml rng rss opml svg xaml sublime-snippet tmLanguage tmPreferences tmSnippet
    tmTheme csproj fsproj sqlproj vbproj vcproj vcxproj dae props targets xsd xsl xslt ecma node php php3 php4 php5
    php7 php8 phps phpt phtml py py3 pyw pyi pyx pyx.in pxd pxd.in pxi pxi.in rpy cpy gyp gypi vpy smk wscript bazel
    bzl pyc class p pas curl mcurl go swift rs ts tsx rb rbi rbx rjs rabl rake capfile jbuilder gemspec podspec
    irbrc pryrc prawn thor Appfile Appraisals Berksfile Brewfile Cheffile Deliverfile Fastfile Gemfile Guardfile
    Podfile Rakefile Rantfile Scanfile simplecov Snapfile Thorfile Vagrantfile scala sbt sc cmd bat coffee erl hrl
    escript lua luau md mdown mdwn markdown markdn matlab m ps1 sh bash bashrc ash zsh .bash_aliases
    .bash_completions .bash_functions .bash_login .bash_logout .bash_profile .bash_variables .profile .textmate_init
    .zlogin .zlogout .zprofile .zshenv .zshrc PKGBUILD ebuild eclass r sql ddl dml tex ltx sty cls yaml yml toml tml
    Cargo.lock Gopkg.lock Pipfile poetry.lock uniform_resource_locator custom_url_scheme unix_file_path
    windows_file_path uniform_resource_identifier hljs-1c hljs-abnf hljs-accesslog hljs-actionscript hljs-ada
    hljs-angelscript hljs-apache hljs-applescript hljs-arcade hljs-arduino hljs-armasm hljs-asciidoc hljs-aspectj
    hljs-autohotkey hljs-autoit hljs-avrasm hljs-awk hljs-axapta hljs-bash hljs-basic hljs-bnf hljs-brainfuck
    hljs-cal hljs-capnproto hljs-ceylon hljs-clean hljs-clojure-repl hljs-clojure hljs-cmake hljs-coffeescript
    hljs-coq hljs-cos hljs-cpp hljs-crmsh hljs-crystal hljs-c hljs-cs hljs-csp hljs-css hljs-d hljs-dart hljs-delphi
    hljs-diff hljs-django hljs-dns hljs-dockerfile hljs-dos hljs-dsconfig hljs-dts hljs-dust hljs-ebnf hljs-elixir
    hljs-elm hljs-erb hljs-erlang-repl hljs-erlang hljs-excel hljs-fix hljs-flix hljs-fortran hljs-fsharp hljs-gams
    hljs-gauss hljs-gcode hljs-gherkin hljs-glsl hljs-gml hljs-go hljs-golo hljs-gradle hljs-groovy hljs-haml
    hljs-handlebars hljs-haskell hljs-haxe hljs-hsp hljs-htmlbars hljs-http hljs-hy hljs-inform7 hljs-ini
    hljs-irpf90 hljs-isbl hljs-java hljs-javascript hljs-jboss-cli hljs-json hljs-julia-repl hljs-julia hljs-kotlin
    hljs-lasso hljs-ldif hljs-leaf hljs-less hljs-lisp hljs-livecodeserver hljs-livescript hljs-llvm hljs-lsl
    hljs-lua hljs-makefile hljs-markdown hljs-mathematica hljs-matlab hljs-maxima hljs-mel hljs-mercury hljs-mipsasm
    hljs-mizar hljs-mojolicious hljs-monkey hljs-moonscript hljs-n1ql hljs-nginx hljs-nimrod hljs-nix hljs-nsis
    hljs-objectivec hljs-ocaml hljs-openscad hljs-oxygene hljs-parser3 hljs-perl hljs-pf hljs-pgsql hljs-php
    hljs-plaintext hljs-pony hljs-powershell hljs-processing hljs-profile hljs-prolog hljs-properties hljs-protobuf
    hljs-puppet hljs-purebasic hljs-python hljs-q hljs-qml hljs-r hljs-reasonml hljs-rib hljs-roboconf hljs-routeros
    hljs-rsl hljs-ruby hljs-ruleslanguage hljs-rust hljs-sas hljs-scala hljs-scheme hljs-scilab hljs-scss hljs-shell
    hljs-smali hljs-smalltalk hljs-sml hljs-sqf hljs-sql hljs-stan hljs-stata hljs-step21 hljs-stylus hljs-subunit
    hljs-swift hljs-taggerscript hljs-tap hljs-tcl hljs-tex hljs-thrift hljs-tp hljs-twig hljs-typescript hljs-vala
    hljs-vbnet hljs-vbscript-html hljs-vbscript hljs-verilog hljs-vhdl hljs-vim hljs-x86asm hljs-xl hljs-xml
    hljs-xquery hljs-yaml hljs-toml hljs-zephir hljs-html groovy kt el clj ex adb ads agda elm exs glsl ml lean lisp
    rkt sparql vhdl zig dockerfile f03 f08 f18 f90 f95 jl mm scm sol sv asp cfm fs fsi fsx tf vba svelte vue scss
    feature ini ftl hcl abap nim cara jql
"""
_KNOWN = frozenset(_NAMES.split())
_IMAGES = {"png", "jpg", "jpeg", "jpe", "gif", "bmp", "webp", "tif", "tiff", "ico"}
_TEXTS = {
    "txt",
    "text",
    "log",
    "md",
    "mdown",
    "mdwn",
    "markdown",
    "markdn",
    "rtf",
    "rtx",
    "csv",
    "list",
    "hljs-plaintext",
}
# How image files begin.
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"\0\0\1\0", "ico"),
)
# Evidence below this is none.
_ENOUGH = 3.0
# The beginning of a text tells its language; long lines are data, and would make the search for signs slow.
_LOOKED_AT, _LINE = 4_000, 160


def meant(said: str) -> str:
    """The wire's name of a language, which is said by that or by what people call it, such as python.

    Raises:
        RequestError: 400, it is neither.
    """
    found = said if said in _KNOWN else _by_name().get(said.lower())
    if found is None:
        sentence = f"{said} is not a language the wire knows; it names languages by file extension, such as py or ts."
        raise RequestError(400, sentence)
    return found


@cache
def _by_name() -> Mapping[str, str]:
    """What people call languages, with what the wire calls them."""
    found: dict[str, str] = {}
    for wire, names, _ in _languages():
        for name in names:
            found.setdefault(name.lower(), wire)
    return found


def _languages() -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """The languages that Pygments and the wire both have: what the wire calls them, their names, their suffixes."""
    for name, aliases, patterns, _ in get_all_lexers():
        suffixes = [pattern[2:] for pattern in patterns if re.fullmatch(r"\*\.\w+", pattern)]
        wire = next((suffix for suffix in suffixes if suffix in _KNOWN), None)
        if wire is not None:
            yield wire, (name, *aliases), suffixes


def classification(ext: str) -> dict[str, str]:
    """The wire's classification of a language."""
    generic = "IMAGE" if ext in _IMAGES else "TEXT" if ext in _TEXTS else "CODE"
    return {"generic": generic, "specific": ext}


def classify(text: str | None, data: bytes, *, ext: object = None, name: str = "") -> dict[str, str]:
    """The classification of contents; `text` is None when they are not text.

    Raises:
        RequestError: 400, `ext` is no language.
    """
    said = meant(ext) if isinstance(ext, str) and ext else None
    image = image_type(data)
    if image:
        # Its first bytes know better than whoever sent it.
        return classification(said if said in _IMAGES else image)
    if text is None:
        return classification(said) if said else {"generic": "FILE", "specific": "bin"}
    if said:
        check_text(said)
        return classification(said)
    return classification(from_name(name) or from_content(text) or "txt")


def check_text(ext: str) -> None:
    """Refuse the language of an image for a text.

    Raises:
        RequestError: 400.
    """
    if ext in _IMAGES:
        raise RequestError(400, f"{ext} is a kind of image, and this is a text.")


def image_type(data: bytes) -> str | None:
    """The kind of image that bytes are."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((ext for magic, ext in _MAGIC if data.startswith(magic)), None)


def from_name(name: str) -> str | None:
    """The language that a file name says."""
    path = PurePosixPath(name.strip().replace("\\", "/"))
    suffix = path.suffix.removeprefix(".")
    if " " in path.name or not path.name:
        return None
    for candidate in (path.name, suffix, suffix.lower()):
        if candidate in _KNOWN and (candidate != path.name or "." in name or candidate[0].isupper()):
            return candidate
    return _by_suffix().get(suffix.lower())


@cache
def _by_suffix() -> Mapping[str, str]:
    """Suffixes that the wire does not have, with those it has for the same language."""
    found: dict[str, str] = {}
    for wire, _, suffixes in _languages():
        for suffix in suffixes:
            if suffix not in _KNOWN:
                found.setdefault(suffix.lower(), wire)
    return found


def from_content(text: str) -> str | None:
    """The language that a text looks like, None when it looks like no language."""
    whole = text.strip("\ufeff \t\r\n")
    text = "\n".join(line[:_LINE] for line in whole[:_LOOKED_AT].splitlines())
    if not text:
        return None
    shebang = re.match(r"#!.*?(?:/env\s+(?:-S\s+)?|/)([\w.+-]+)(?:\s|$)", text)
    if shebang:
        return next((ext for start, ext in SHEBANGS if shebang[1].startswith(start)), "sh")
    if whole[0] in "{[" and _is_json(whole):
        return "json"
    scores = {ext: _score(text, signs) for ext, signs in SIGNS.items()}
    best = max(scores, key=lambda ext: scores[ext])
    return best if scores[best] >= _ENOUGH else None


def _is_json(text: str) -> bool:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return bool(value) and (isinstance(value, dict) or any(isinstance(one, (dict, list)) for one in value))


def _score(text: str, signs: tuple[tuple[float, re.Pattern[str]], ...]) -> float:
    """The sum of the weights of the signs found; what speaks against is looked for where enough speaks for."""
    total = sum(_weight(text, weight, pattern) for weight, pattern in signs if weight > 0)
    if total < _ENOUGH:
        return total
    return total + sum(_weight(text, weight, pattern) for weight, pattern in signs if weight < 0)


def _weight(text: str, weight: float, pattern: re.Pattern[str]) -> float:
    """What a sign counts: nothing when it is not there, a little more when it repeats."""
    found = pattern.finditer(text)
    times = sum(1 for _ in itertools.islice(found, 4))
    return weight * (1 + 0.15 * (times - 1)) if times else 0.0
