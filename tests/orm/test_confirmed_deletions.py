"""A deletion is believed when status 410 says so or the server's ids confirm it, never of one ambiguous answer."""

import pytest

from pieces_orm import Annotation, Asset, BatchError, NotFoundError, ServerError, State, WorkstreamEvent
from pieces_orm.values import Trigger
from tests.support import Heard, Requests, wait_for

# The class, the status by which its servers may say that there is none, the error that stands for it, and the request
# that reads the ids.
DOUBTFUL = [(Asset, 404, NotFoundError, "GET /assets/identifiers"), (Annotation, 500, ServerError, "GET /annotations")]
CALLS = {
    "refresh": lambda entity, collection: entity.refresh(),
    "get": lambda entity, collection: collection.get(entity.id),
    "save": lambda entity, collection: entity.save(),
}


@pytest.fixture
def faults(pieces_server):
    return pieces_server.faults


def edited(pieces, cls):
    """An entity with an edit."""
    if cls is Asset:
        entity = pieces.assets.create("a text", name="before")
        entity.name = "after"
    else:
        entity = pieces.annotations.create("before")
        entity.text = "after"
    return entity


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("cls", "status", "error", "listing"), DOUBTFUL, ids=["asset", "annotation"])
def test_one_ambiguous_answer_never_deletes(pieces, faults, cls, status, error, listing, call):
    entity, collection = edited(pieces, cls), pieces[cls]
    heard, requests = Heard(pieces), Requests(pieces)
    faults.answer(status, path=f"/{cls.__name__.lower()}")
    with pytest.raises(error):
        CALLS[call](entity, collection)
    assert requests.take()[1:] == [listing]
    assert (entity.state, len(entity.edits), heard.take()) == (State.LOADED, 1, [])
    entity.save()
    assert (collection.get(entity.id) is entity, entity.edits) == (True, {})


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [404, 500])
def test_a_deletion_that_the_ids_confirm_is_believed(pieces, other, faults, status, call):
    cls = Asset if status == 404 else Annotation
    entity = edited(pieces, cls)
    other[cls].ref(entity.id).delete()
    heard, requests = Heard(pieces), Requests(pieces)
    faults.answer(status, path=f"/{cls.__name__.lower()}")
    with pytest.raises(NotFoundError):
        CALLS[call](entity, pieces[cls])
    assert len(requests.take()) == 2
    assert entity.state is State.DELETED
    assert heard.take() == [("deleted", cls.__name__, entity.id, "refresh")]


def test_status_410_needs_no_confirmation(pieces, other):
    asset = pieces.assets.create("a text")
    other.assets.ref(asset.id).delete()
    requests = Requests(pieces)
    with pytest.raises(NotFoundError):
        asset.refresh()
    assert (requests.take(), asset.state) == ([f"GET /assets/{asset.id}"], State.DELETED)


def test_nothing_is_asked_about_what_the_session_does_not_hold(pieces, faults):
    requests = Requests(pieces)
    faults.answer(404, path="/assets/")
    assert pieces.assets.get("unknown", None) is None
    assert requests.take()[-1] == "GET /assets/unknown"
    faults.answer(404, path="/tags/batch/fetch")
    faults.answer(404, times=2, path="/tag/")
    with pytest.raises(BatchError):
        pieces.tags.get_many(["one", "two"])
    assert "GET /tags" not in requests.take()


def test_an_answer_that_confirms_nothing_leaves_everything_as_it_is(pieces, faults):
    asset = edited(pieces, Asset)
    for useless in (b"{}", b'{"error": "starting"}', b"<html>"):
        faults.answer(404, path=f"/assets/{asset.id}")
        faults.answer(200, body=useless, path="/assets/identifiers")
        with pytest.raises(NotFoundError):
            asset.refresh()
        assert (asset.state, asset.edits) == (State.LOADED, {"name": "after"})


def test_many_doubtful_ids_are_confirmed_by_one_request(pieces, other, faults):
    tags = pieces.tags.create_many(["one", "two", "three"])
    other.tags.ref(tags[0].id).delete()
    faults.answer(404, path="/tags/batch/fetch")
    faults.answer(404, times=3, path="/tag/")
    requests = Requests(pieces)
    with pytest.raises(BatchError) as raised:
        pieces.tags.get_many([tag.id for tag in tags])
    assert set(raised.value.failed) == {tag.id for tag in tags}
    assert requests.take().count("GET /tags") == 1
    assert [tag.state for tag in tags] == [State.DELETED, State.LOADED, State.LOADED]
    assert pieces.tags.get_many([tag.id for tag in tags], missing="skip") == tags[1:]


def test_an_unconfirmed_one_is_not_skipped(pieces, faults):
    tags = pieces.tags.create_many(["one", "two"])
    faults.answer(404, path="/tags/batch/fetch")
    faults.answer(404, path="/tag/")
    with pytest.raises(BatchError):
        pieces.tags.get_many([tag.id for tag in tags], missing="skip")
    assert [tag.state for tag in tags] == [State.LOADED, State.LOADED]


def test_iteration_leaves_none_out_silently(pieces, other, faults):
    anchor = pieces.anchors.create("/projects/tide")
    assets = other.assets.create_many(["one", "two"])
    other.anchors.get(anchor.id).associate(*assets)
    anchor.refresh()
    faults.answer(404, path="/assets/batch/fetch")
    faults.answer(404, path="/assets/")
    with pytest.raises(BatchError):
        list(anchor.assets)
    assert [asset.id for asset in anchor.assets] == list(anchor.assets.ids)
    assert len(anchor.assets) == 2


def test_a_delete_that_is_not_confirmed_is_an_error(pieces, faults):
    tag = pieces.tags.create("tide")
    heard = Heard(pieces)
    for status, error in ((404, NotFoundError), (500, ServerError)):
        faults.answer(status, path=f"/tags/{tag.id}/delete")
        with pytest.raises(error):
            tag.delete()
        assert (tag.state, heard.take()) == (State.LOADED, [])
    tag.delete()
    assert heard.take() == [("deleted", "Tag", tag.id, "local")]


def test_a_delete_of_many_is_confirmed_by_one_request(pieces, other, faults):
    tags = pieces.tags.create_many(["one", "two", "three"])
    other.tags.ref(tags[1].id).delete()
    faults.answer(404, times=3, path="/tags/")
    requests = Requests(pieces)
    with pytest.raises(BatchError) as raised:
        pieces.tags.delete_many(tags)
    assert set(raised.value.failed) == {tags[0].id, tags[2].id}
    assert raised.value.succeeded == [tags[1].id]
    assert requests.take().count("GET /tags") == 1
    assert [tag.state for tag in tags] == [State.LOADED, State.DELETED, State.LOADED]


def test_ids_without_a_list_delete_nothing_after_an_outage(pieces, faults):
    event = pieces.workstream_events.create(Trigger(copy=True))
    heard, states = Heard(pieces), []
    pieces.signals.stream_state.connect(lambda _, state, **__: states.append(state), weak=False)
    with pieces.watch(WorkstreamEvent) as watch:
        watch.wait_live()
        faults.answer(200, times=2, body=b"{}", path="/workstream_events/identifiers")
        wait_for(lambda: states[-2:] == ["lost", "live"])
    assert (event.state, heard.take()) == (State.LOADED, [])
