"""Settings: what cannot be is refused with what can."""

import pytest

import pieces_orm
from pieces_orm import UsageError
from pieces_orm.server import Server, Settings


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"user": "bob"}, "user takes 'local' or 'nobody', not 'bob'"),
        ({"same_path_anchor": "exsiting"}, "takes 'new' or 'existing'"),
        ({"embed_relations": "no"}, "embed_relations takes True or False"),
        ({"version": "twelve"}, "such as 12.3.0"),
        ({"max_body": -1}, "a whole number, 0 or more"),
        ({"max_body": True}, "a whole number, 0 or more"),
        ({"patience": 0}, "a number above 0"),
        ({"allow_origins": "vscode-webview://abc"}, "a list of origins"),
        ({"allow_origins": ["null"]}, "a list of origins"),
        ({"allow_origins": ["http://localhost/path"]}, "without a path"),
        ({"allow_origins": ["http://*"]}, "which http and https do not have"),
        ({"allow_origins": ["https://*.example"]}, "which http and https do not have"),
        ({"allow_origins": ["moz-extension://a*"]}, "stands for all of this scheme"),
        ({"allow_origins": ["*"]}, "a list of origins"),
        ({"hosts": "pieces.internal"}, "a list of host names"),
        ({"hosts": 3}, "a list of host names"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_what_can(given, sentence):
    with pytest.raises(UsageError, match=sentence):
        Settings(**given)


def test_lists_are_taken_for_tuples():
    settings = Settings(allow_origins=["vscode-webview://abc"], hosts=["pieces.internal"])
    assert settings == Settings(allow_origins=("vscode-webview://abc",), hosts=("pieces.internal",))


def test_what_are_no_settings_is_refused():
    with pytest.raises(UsageError, match=r"takes a pieces_orm\.server\.Settings"):
        Server(settings={"read_only": True})


def test_an_embedded_session_takes_settings_and_shows_the_token():
    with pieces_orm.embedded(settings=Settings(token="s3cret", second_delete="ok")) as session:
        tag = session.tags.create("tides")
        tag.delete()
        session.tags.ref(tag.id)
        session.request("POST", f"/tags/{tag.id}/delete")
