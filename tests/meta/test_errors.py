"""Every error that the package raises on purpose is in its tree; the exceptions have reasons."""

import ast
import builtins

from .sources import PACKAGE, ROOT, python_files, relative

# The module and the error of Python's own that it raises, with the reason: it reaches no caller, or has to be this one.
ALLOWED = {
    ("__init__.py", "AttributeError"): "a module's __getattr__ has to raise it",
    ("orm/entity.py", "AttributeError"): "__getattr__ has to raise it",
    ("orm/persistence.py", "NotImplementedError"): "a method of a base class",
    ("query/deciding.py", "NotImplementedError"): "a method of a base class",
    ("query/query.py", "IndexError"): "a query is indexed like a sequence",
    ("sync/live.py", "IndexError"): "a live list is a sequence, and iteration by index ends with it",
    ("sync/changes.py", "StopIteration"): "an iterator ends with it",
    ("transport/http.py", "AssertionError"): "says that a line is never reached",
    ("transport/pacing.py", "TimeoutError"): "what a socket raises; the transport makes a RequestTimeout of it",
    ("transport/bodies.py", "ValueError"): "the transport makes a TransportError of it",
    ("transport/websocket.py", "ValueError"): "the feed takes the frame for one of another protocol",
    ("documents/decoding.py", "TypeError"): "a field makes a DecodeError of it",
    ("documents/document.py", "RecursionError"): "a field makes a DecodeError of it",
    ("documents/structuring.py", "TypeError"): "a field makes a DecodeError of it",
    ("documents/structuring.py", "ValueError"): "what is sent makes an InvalidValueError of it",
    ("server/app/router.py", "ValueError"): "a mistake in the table of routes, at import",
    ("server/storage/backup.py", "FileExistsError"): "the command makes a sentence of it",
    ("server/storage/lock.py", "AssertionError"): "a mistake of the server's own code",
    ("server/answers.py", "ConnectionAbortedError"): "ends an answer of a model that broke off; the server catches it",
    ("cli/interrupts.py", "KeyboardInterrupt"): "the second Ctrl-C ends the program at once",
    ("cli/main.py", "SystemExit"): "the end of the command, with its exit code",
}

# Classes of errors that are not in the tree: they reach no caller.
INTERNAL = {
    "server/request_errors.py": "an answer to a client is made of it",
    "server/storage/open_files.py": "the lock makes a DatabaseLockedError of it",
    "server/answers.py": "the server says in its answer what is wrong with the model",
    "server/workload.py": "ends the work for a client that left",
    "transport/pacing.py": "the transport makes a TransportError of it",
    "transport/connection.py": "the caller takes the way of servers without extensions",
}


def raised_builtins(path):
    """The errors of Python's own that a module raises by name."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Raise) and node.exc is not None:
            error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(error, ast.Name) and isinstance(getattr(builtins, error.id, None), type):
                yield error.id


def test_every_error_that_is_raised_on_purpose_is_in_the_tree_or_has_a_reason():
    found = {
        (relative(path).removeprefix(f"{PACKAGE}/"), name)
        for path in python_files(PACKAGE)
        for name in raised_builtins(path)
    }
    assert found == set(ALLOWED)


def test_every_class_of_errors_is_in_the_tree_or_has_a_reason():
    errors = set()
    for path in python_files(PACKAGE):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases = {getattr(builtins, ast.unparse(base), None) for base in node.bases}
                if any(isinstance(base, type) and issubclass(base, BaseException) for base in bases):
                    errors.add(relative(path).removeprefix(f"{PACKAGE}/"))
    assert errors - {"errors.py"} == set(INTERNAL)


def test_the_search_finds_an_error_however_it_is_raised(tmp_path):
    module = tmp_path / "module.py"
    module.write_text(
        "def f(error):\n    raise ValueError\n    raise KeyError('x') from None\n    raise error\n    raise\n"
    )
    assert list(raised_builtins(module)) == ["ValueError", "KeyError"]
    assert (ROOT / PACKAGE / "errors.py").exists()
