"""Questions to a language model, and what is relevant to them.

Without a model a question is answered at once by the sentence that there is none, so that no client waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from attrs import evolve, frozen

from ...values import ConversationType, HintType
from ...wire.kinds import ASSET, CONVERSATION, HINT, MESSAGE, PERSON, Route
from ..answers import Message, Question, Role
from ..domain.asset_seeds import first_line
from ..domain.documents import collection_text
from ..domain.materials import own_keys, related_ids, require_row
from ..domain.relations import end_of, linked
from ..domain.schema_check import check_type
from ..domain.seeds import SeedWriter
from ..http.requests import AsyncHandler, Handler, Request
from ..json_values import json_text, object_in
from ..request_errors import RequestError
from ..service import Service
from ..storage.reader import Reader
from . import grounding
from .replies import reply

_MAX_MESSAGES, _MAX_MESSAGES_CHARS = 20, 16_000
_MAX_PERSONS = 20
_ROLES: Mapping[str, Role] = {"USER": "user", "ASSISTANT": "assistant", "SYSTEM": "system"}

_REWRITE = (
    "Rewrite this question so that it can be understood without the conversation before it. Answer with the question "
    "alone: "
)


@frozen
class Turn:
    """A question in a conversation, and what is relevant to it as the wire has it.

    `question` is None when only the relevance is asked for, `relevant` when it is not. `is_new` is True when the
    conversation was created for this question.
    """

    conversation: str
    question: Question | None
    relevant: list[grounding.Relevant] | None
    is_new: bool = False


async def question(request: Request) -> str:
    """POST /qgpt/question: answer a question that belongs to no conversation."""
    body = request.object()

    def asked() -> Question:
        with request.service.store.read() as reader:
            return _grounded(reader, body, grounding.named_in(body))

    question = await request.service.workload.collections.run(asked)
    return json_text(_answers(await _whole(request.service, question)))


async def relevance(request: Request) -> str:
    """POST /qgpt/relevance: tell what is relevant to a query, and answer it when the options say so."""
    body = request.object()

    def found() -> tuple[list[grounding.Relevant], Question]:
        with request.service.store.read() as reader:
            relevant = grounding.relevant(reader, body, _query(body))
            return relevant, _grounded(reader, body, relevant)

    relevant, asked = await request.service.workload.collections.run(found)
    answer: dict[str, Any] = {"relevant": {"iterable": relevant}}
    if _wants_answer(body):
        answer["answer"] = _answers(await _whole(request.service, asked))
    return json_text(answer)


async def reprompt(request: Request) -> str:
    """POST /qgpt/reprompt: have a model rewrite a question that refers to a conversation; without one, it stays."""
    body = request.object()
    query = _query(body)
    if request.service.settings.answers is not None:
        said = object_in(body, "conversation").get("iterable")
        messages = [_message(each.get("role"), each.get("text")) for each in said or () if isinstance(each, Mapping)]
        query = await _whole(request.service, Question(_REWRITE + query, messages=_latest(messages)))
    return json_text({"query": query})


def hints(request: Request) -> str:
    """POST /qgpt/hints: suggest questions: those stored with the relevant assets."""
    body = request.object()
    assets = [object_in(each, ASSET.name).get("id") for each in grounding.named_in(body)]
    with request.service.store.read() as reader:
        ids = [id for _, _, id in linked(reader, ASSET, ["hints"], [id for id in assets if isinstance(id, str)])]
        found = [own_keys(row) for row in reader.rows(HINT.name, list(dict.fromkeys(ids)))]
    texts = [str(own.get("text")) for own in found if own.get("type") == HintType.SUGGESTED_QUERY]
    return json_text(_answers(*texts))


def persons_related(request: Request) -> str:
    """POST /qgpt/persons/related: tell which persons go with the assets that a text is like."""
    body = request.object()
    said = object_in(body, "conversation").get("iterable")
    texts = [str(each.get("text")) for each in said or () if isinstance(each, Mapping)]
    texts.append(grounding.seed_text(object_in(body, "seed")))
    with request.service.store.read() as reader:
        assets = grounding.assets_with_words(reader, "\n".join(texts))
        by_asset: dict[str, list[str]] = {}
        for _, asset, person in linked(reader, ASSET, ["persons"], assets) if assets else ():
            by_asset.setdefault(asset, []).append(person)
        ids = list(dict.fromkeys(person for asset in assets for person in by_asset.get(asset, ())))[:_MAX_PERSONS]
        found = request.service.documents(reader, contents=request.contents).some(PERSON, ids)
    return f'{{"persons":{collection_text(PERSON, list(found), found.values())}}}'


def prepare(service: Service, body: Mapping[str, Any]) -> Turn:
    """Read what a QGPTStreamInput asks and names; nothing is stored yet.

    Raises:
        RequestError: it asks nothing, or names a conversation that is not there.
    """
    asked, conversation = body.get("question") or body.get("relevance"), body.get("conversation") or ""
    if not isinstance(asked, Mapping) or (body.get("question") and body.get("relevance")):
        raise RequestError(400, "A message must have a question or a relevance, not both.")
    check_type("text", conversation, "conversation")
    query, by_relevance = _query(asked), not body.get("question")
    with service.store.read() as reader:
        relevant = grounding.relevant(reader, asked, query) if by_relevance else grounding.named_in(asked)
        if by_relevance and not _wants_answer(asked):
            return Turn(conversation, None, relevant)
        messages: tuple[Message, ...] = ()
        if conversation:
            require_row(reader, CONVERSATION, conversation, 410)
            messages = _messages(reader, conversation)
        question = Question(query, grounding.materials(reader, asked, relevant), messages)
    return Turn(conversation, question, relevant if by_relevance else None)


def store_question(service: Service, turn: Turn, question: Question) -> Turn:
    """Store a question in its conversation, in a new one when it has none.

    Raises:
        RequestError: the conversation was deleted, or nothing can be stored.
    """
    with service.store.write() as writer:
        seed_writer = SeedWriter(writer, service.settings)
        if not turn.conversation:
            seed = {"type": ConversationType.COPILOT.value, "name": first_line(question.text)}
            turn = evolve(turn, conversation=seed_writer.create(CONVERSATION, seed), is_new=True)
        _store(seed_writer, turn.conversation, "USER", question.text)
    return turn


def store_answer(service: Service, turn: Turn, text: str) -> None:
    """Store the answer of a turn as a message of its conversation."""
    with service.store.write() as writer:
        _store(SeedWriter(writer, service.settings), turn.conversation, "ASSISTANT", text)


def answers_of(text: str) -> dict[str, Any]:
    """Build a QGPTQuestionOutput with one answer, or with a piece of it."""
    return _answers(text)


def _answers(*texts: str) -> dict[str, Any]:
    return {"answers": {"iterable": [{"score": 1, "text": text} for text in texts]}}


async def _whole(service: Service, question: Question) -> str:
    async with aclosing(reply(service, question)) as pieces:
        return "".join([piece async for piece in pieces])


def _query(body: Mapping[str, Any]) -> str:
    query = body.get("query")
    check_type("text", query, "query")
    return str(query)


def _wants_answer(body: Mapping[str, Any]) -> bool:
    return object_in(body, "options").get("question") is True


def _grounded(reader: Reader, body: Mapping[str, Any], named: list[grounding.Relevant]) -> Question:
    return Question(_query(body), grounding.materials(reader, body, named))


def _messages(reader: Reader, conversation: str) -> tuple[Message, ...]:
    """Read the latest messages of a conversation."""
    ids = related_ids(reader, end_of(CONVERSATION, "messages"), CONVERSATION, conversation)[-_MAX_MESSAGES:]
    rows = {row.id: own_keys(row) for row in reader.rows(MESSAGE.name, ids)} if ids else {}
    found = [rows[id] for id in ids if id in rows]
    return _latest([_message(own.get("role"), _raw(own)) for own in found])


def _raw(own: Mapping[str, Any]) -> Any:
    return object_in(object_in(own, "fragment"), "string").get("raw")


def _message(role: Any, text: Any) -> Message:
    return Message(_ROLES.get(str(role), "user"), str(text or ""))


def _latest(messages: list[Message]) -> tuple[Message, ...]:
    """Keep the latest messages, as many as a model can be expected to take."""
    kept: list[Message] = []
    left = _MAX_MESSAGES_CHARS
    for message in reversed(messages[-_MAX_MESSAGES:]):
        left -= len(message.text)
        if left < 0:
            break
        kept.append(message)
    return tuple(reversed(kept))


def _store(seed_writer: SeedWriter, conversation: str, role: str, text: str) -> None:
    fragment = {"string": {"raw": text}}
    seed_writer.create(MESSAGE, {"role": role, "fragment": fragment, "conversation": {"id": conversation}})


ROUTES: Mapping[Route, Handler] = {
    Route("POST", "/qgpt/hints"): hints,
    Route("POST", "/qgpt/persons/related"): persons_related,
}
# These may wait for a language model.
COROUTINES: Mapping[Route, AsyncHandler] = {
    Route("POST", "/qgpt/question"): question,
    Route("POST", "/qgpt/relevance"): relevance,
    Route("POST", "/qgpt/reprompt"): reprompt,
}
