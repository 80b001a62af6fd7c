"""Standard output and standard error show words of servers and names of files, and obey neither."""

from pieces_orm.cli.errors import report
from pieces_orm.cli.terminal import Terminal
from tests.transport.test_hostile import NASTY


def test_what_is_printed_is_no_command_of_the_terminal(capsys):
    Terminal().say(f"Renaming {NASTY}.")
    report(f"It failed: {NASTY}")
    printed = capsys.readouterr()
    for lines in (printed.out, printed.err):
        assert lines.count("\n") == 1
        assert lines.rstrip("\n").isprintable()
        assert r"\x1b[2J\x1b]0;pwned\x07\u202e" in lines
