"""Changes on their way from commits to streams."""

import asyncio

from pieces_orm.server.domain.change_hub import ChangeHub

TAGS = frozenset({"tag"})


def subscribed(act, max_pending=3):
    """What `act` returns for a hub and a subscription to tags."""

    async def run():
        hub = ChangeHub()
        with hub.subscribe(TAGS, max_pending) as subscription:
            return await act(hub, subscription)

    return asyncio.run(run())


def test_a_subscription_that_falls_behind_is_overrun_and_gives_nothing():
    async def overrun(hub, slow):
        hub.publish({("tag", str(number)): "create" for number in range(4)})
        return await slow.take(), slow.overrun

    assert subscribed(overrun) == ({}, True)


def test_changes_of_one_id_are_merged_and_a_deletion_outranks_the_rest():
    async def merged(hub, subscription):
        for operation in ("create", "update", "delete", "update"):
            hub.publish({("tag", "one"): operation})
        hub.publish({("asset", "not of these kinds"): "create"})
        hub.publish({("tag", "two"): "create"})
        return await subscription.take()

    assert subscribed(merged) == {("tag", "one"): "delete", ("tag", "two"): "create"}


def test_a_closed_hub_ends_the_streams_that_are_open_and_those_that_still_open():
    async def ended(hub, subscription):
        hub.close()
        with hub.subscribe(TAGS, 3) as late:
            return await subscription.take(), subscription.closed, await late.take(), late.closed

    assert subscribed(ended) == ({}, True, {}, True)
