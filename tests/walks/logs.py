"""What was told, replayed as a log: once, in order, with the right origin, and ending in what the server has."""

from __future__ import annotations

from collections import Counter, defaultdict

from .actor import Actor, Told, is_watchable, plain_base
from .materials import CLASSES, EDITABLE, Key, Pair, is_ambiguous, pair_of, wire_of
from .truth import Truth
from .world import Phase, World


def check_order(world: World, actor: Actor, truth: Truth) -> None:
    """Created comes first and once, deleted last and once, and only of what is gone."""
    created: set[Key] = set()
    seen: set[Key] = set()
    deleted: set[Key] = set()
    for told in list(actor.log):
        key = told.key
        if told.signal == "created":
            cause = "order: created is told twice" if key in created else "order: created is told after other signals"
            world.check(key not in seen, cause, _about(actor, told, key))
            created.add(key)
        elif told.signal == "deleted":
            world.check(key not in deleted, "order: deleted is told twice", _about(actor, told, key))
            world.check(key not in truth.documents, "order: deleted is told of what is there", _about(actor, told, key))
        elif key in deleted:
            world.check(False, f"order: {told.signal} is told after deleted", _about(actor, told, key))
        if told.signal == "deleted":
            deleted.add(key)
        if told.relation and told.signal == "associated":
            target = CLASSES[told.cls]._schema.relations[told.relation].target.__name__
            world.check(
                (target, told.other) not in deleted, "order: associated is told with what was told as deleted",
                _about(actor, told, key),
            )  # fmt: skip
        seen.add(key)


def _about(actor: Actor, told: Told, key: Key) -> str:
    last = [str(each) for each in actor.log if each.key == key][-6:]
    return f"{actor.name} {told}; log of it: {last}"


def check_completeness(world: World, actor: Actor, truth: Truth) -> None:
    """Each material that was made or deleted is told once, with the right origin."""
    phase = world.phase
    told = {name: Counter(each.key for each in actor.log if each.signal == name) for name in ("created", "deleted")}
    origins = {(each.signal, each.key): each.origin for each in actor.log}
    for key in truth.documents.keys() - phase.start.documents.keys():
        _check_told(world, actor, key, "created", told["created"][key], phase.created.get(key))
        _check_origin(world, actor, key, "created", origins.get(("created", key)), phase.created.get(key))
    for key in phase.start.documents.keys() - truth.documents.keys():
        _check_told(world, actor, key, "deleted", told["deleted"][key], phase.deleted.get(key))
        _check_origin(world, actor, key, "deleted", origins.get(("deleted", key)), phase.deleted.get(key))


def _check_told(world: World, actor: Actor, key: Key, signal: str, times: int, by: str | None) -> None:
    phase, whose = world.phase, "own" if by == actor.name else "another's" if by else "somebody's"
    steady = actor.follows(key[0]) and (actor.name, key[0]) not in phase.unsteady
    certain = by == actor.name and key not in phase.uncertain
    if (steady and is_watchable(CLASSES[key[0]])) or certain:
        kind = "unwatched" if not actor.follows(key[0]) else "streamed" if _is_streamed(key) else "polled"
        cause = f"completeness: {whose} {signal} is told {'never' if times == 0 else 'twice'} ({kind})"
        world.check(times == 1, cause, f"{actor.name} {key}: {times} times, by {by}")


def _is_streamed(key: Key) -> bool:
    return "stream" in CLASSES[key[0]]._schema.kind.routes


def _check_origin(world: World, actor: Actor, key: Key, signal: str, origin: str | None, by: str | None) -> None:
    if origin is None or by is None or key in world.phase.uncertain:
        return
    if by == actor.name:
        world.check(origin == "local", f"origins: own {signal} is told as {origin}", f"{actor.name} {key}")
    else:
        world.check(origin != "local", f"origins: another's {signal} is told as local", f"{actor.name} {key}")


def check_origins(world: World, actor: Actor, truth: Truth) -> None:
    """Without another's write nothing is remote; without one's own nothing is local."""
    phase = world.phase
    if phase.faulty:
        return
    for told in actor.log[actor.mark :]:
        # What the server makes and deletes by itself, such as the format of an asset, is told with any origin.
        by_server = told.key not in (phase.created if told.signal == "created" else phase.deleted)
        if told.signal in ("created", "deleted") and by_server:
            continue
        if phase.writers <= {actor.name}:
            if (actor.name, told.cls) in phase.unsteady:
                continue  # the watch that began in this phase tells what others wrote before it
            what = f"{told.signal} {sorted(told.fields)}" if told.fields else told.signal
            world.check(
                told.origin != "remote", f"origins: {what} is told as remote though nobody else wrote",
                f"{actor.name} {told}",
            )  # fmt: skip
        elif actor.name not in phase.writers:
            world.check(
                told.origin != "local", f"origins: {told.signal} is told as local though it did not write",
                f"{actor.name} {told}",
            )  # fmt: skip


# Fields ---------------------------------------------------------------------------------------------------------------


def check_fields(world: World, actor: Actor, truth: Truth) -> None:
    """Each save and score is told once, as one's own or another's, of what was held all the time."""
    if not actor.keeps:
        return
    phase = world.phase
    told: dict[tuple[Key, str], Counter[str]] = defaultdict(Counter)
    for each in actor.log[actor.mark :]:
        if each.signal == "changed" and each.fields:
            for name in each.fields:
                told[each.key, name][each.origin] += 1
    keys = phase.start.documents.keys() & truth.documents.keys()
    for key in keys:
        for name in (*EDITABLE.get(key[0], ()), "score"):
            sure = not {key, (key, name)} & phase.uncertain and (actor.name, key) not in phase.expired
            if sure and actor.follows(key[0]) and key in actor.held:
                _check_field(world, actor, key, name, told[key, name], truth)


def _check_field(world: World, actor: Actor, key: Key, name: str, told: Counter[str], truth: Truth) -> None:
    edits = world.phase.edits
    own = edits[actor.name, key, name]
    others = sum(count for (who, k, n), count in edits.items() if k == key and n == name and who != actor.name)
    what = "score" if name == "score" else "edit"
    seen = f"{actor.name} {key}.{name}: own {own}, others' {others}, told {dict(told)}"
    if name != "score":
        old, new = (plain_base(each.documents[key], wire_of(key, name)) for each in (world.phase.start, truth))
        world.check(old == new or told, f"fields: a changed {what} is never told", seen)
    else:
        world.check(told or not own + others, "fields: a score is never told", seen)
    beside = any(k == key and who != actor.name for (who, k, _), count in edits.items())
    for origin in ("remote", "refresh"):
        cause = f"fields: {what} is told as {origin} more often than others made it"
        world.check(told[origin] <= others, cause + (", beside another's change" if beside else ""), seen)
    world.check(told["local"] <= own, f"fields: {what} is told as local more often than it was made", seen)
    # A save that sets what is there already changes nothing.
    if name == "score" and others == 0 and not beside:
        # Two of them within a moment may be told as one.
        world.check(bool(told["local"]) is bool(own), "fields: own scores are not told as local", seen)


# Associations ---------------------------------------------------------------------------------------------------------


def check_pairs(world: World, actor: Actor, truth: Truth) -> None:
    """Of each pair `associated` and `disassociated` alternate, and end in what the server has."""
    if not actor.keeps:
        return
    phase, now = world.phase, truth.pairs()
    before = phase.start.pairs()
    events: dict[Pair, list[Told]] = defaultdict(list)
    for told in actor.log[actor.mark :]:
        if told.relation:
            events[pair_of(told.cls, told.id, told.relation, told.other)].append(told)
    for pair in events.keys() | (before ^ now):
        keys = [(end[0], end[1]) for end in pair]
        if not _is_certain(actor, phase, pair, keys, truth):
            continue
        seen = f"{actor.name} {pair}: {[f'{each.signal} {each.origin}' for each in events[pair]]}"
        new = any(key not in phase.start.documents for key in keys)
        _check_alternation(world, pair, events[pair], seen, started=None if new else pair in before, ended=pair in now)
        if not new and not is_ambiguous(pair):
            _check_sources(world, actor, pair, events[pair], seen)


def _is_certain(actor: Actor, phase: Phase, pair: Pair, keys: list[Key], truth: Truth) -> bool:
    """Whether all of a pair's changes had to be told: its materials are there, and one of the sides was known."""
    if {pair, *keys} & phase.uncertain or any(key not in truth.documents for key in keys):
        return False
    if any((actor.name, key) in phase.expired for key in keys):
        return False
    ends = [end for end in pair if end[2] and actor.follows(end[0])]
    new = any(key not in phase.start.documents for key in keys)
    return bool(ends) and (new or any(((end[0], end[1]), end[2]) in actor.knew for end in ends))


def _check_alternation(
    world: World, pair: Pair, events: list[Told], seen: str, *, started: bool | None, ended: bool
) -> None:
    style = _style_of(world, pair)
    present = started
    for told in events:
        world.check(
            present is None or present is not (told.signal == "associated"), f"pairs: {told.signal} twice{style}", seen
        )
        present = told.signal == "associated"
    if started is None and not events:
        return
    change = "associated" if ended else "disassociated"
    world.check(present is ended, f"pairs: {change} is never told{style}", seen)


def _style_of(world: World, pair: Pair) -> str:
    annotations = " of an annotation" if any(end[0] == "Annotation" for end in pair) else ""
    return f"{annotations} ({world.style})"


def _check_sources(world: World, actor: Actor, pair: Pair, events: list[Told], seen: str) -> None:
    changes = world.phase.changes.get(pair, Counter())
    own = sum(count for (who, _), count in changes.items() if who == actor.name)
    others = sum(changes.values()) - own
    local = sum(each.origin == "local" for each in events)
    style = _style_of(world, pair)
    # A call of one's own on a pair that is there already, and that nobody knew of, tells it all the same.
    calls = own if len(events) > own + others else own + others
    world.check(local <= calls, f"pairs: told as local more often than done{style}", f"{seen}, own {own}")
    world.check(
        len(events) - local <= others, f"pairs: told as remote more often than others did{style}",
        f"{seen}, others' {others}",
    )  # fmt: skip
    world.check(local == own or others, f"pairs: own are not each told as local{style}", f"{seen}, own {own}")
