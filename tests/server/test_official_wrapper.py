"""The hand-written client of the official package, unchanged, on `pieces-orm serve` where Pieces OS would be."""

import re
import socket
import subprocess
import sys
import textwrap

import pytest

import pieces_orm
from tests.cli.programs import started

pytest.importorskip("pieces_os_client")

pytestmark = [pytest.mark.xdist_group("machine"), pytest.mark.timeout(180)]

PROGRAM = """
    import os, sys, time
    from pieces_os_client.models.seeded_score import SeededScore
    from pieces_os_client.models.seeded_score_increment import SeededScoreIncrement
    from pieces_os_client.wrapper import PiecesClient
    from pieces_os_client.wrapper.basic_identifier.asset import BasicAsset
    from pieces_os_client.wrapper.basic_identifier.tag import BasicTag
    from pieces_os_client.wrapper.streamed_identifiers import AssetSnapshot
    from pieces_os_client.models.fragment_metadata import FragmentMetadata

    def until(condition, id=None):
        # A further change of the asset every second: the wrapper's worker may end just as it gets an id.
        end, again = time.monotonic() + 20, time.monotonic() + 1
        while not condition():
            if time.monotonic() > end:
                print("waited in vain, line", sys._getframe(1).f_lineno, file=sys.stderr, flush=True)
                os._exit(1)  # the wrapper's threads would keep the program
            if id is not None and time.monotonic() > again:
                client.asset_api.asset_scores_increment(id, seeded_score_increment=increment)
                again += 1
            time.sleep(0.02)

    def is_idle():
        return AssetSnapshot.identifiers_queue.empty() and not AssetSnapshot._worker_thread.is_alive()

    increment = SeededScoreIncrement(asset=SeededScore(reuse=True))
    client = PiecesClient()
    assert client.is_pieces_running()
    assert client.port == sys.argv[1], client.port
    client.ensure_initialization()
    id = client.create_asset("def tide():\\n    return 1", FragmentMetadata(ext="py"))
    until(lambda: AssetSnapshot.identifiers_snapshot.get(id), id)
    asset = client.asset(id)
    asset.name = "tide tables"
    asset.raw_content = "heights = [1, 2]"
    until(lambda: client.asset(id).name == "tide tables" and client.asset(id).raw_content == "heights = [1, 2]", id)
    assert [found.id for found in BasicAsset.search("heights", "fuzzy")] == [id]
    tag = BasicTag.from_raw_content(client, "tides")
    # Not tag.associate_asset(), which the published wrapper calls with the two ids in each other's place.
    client.tag_api.tag_associate_asset(tag=tag.id, asset=id)
    until(lambda: [each.raw_content for each in client.asset(id).tags or []] == ["tides"], id)
    print("changed by another:", id, flush=True)
    until(lambda: client.asset(id).name == "renamed by another", id)
    # The wrapper passes over the deletion of an asset that it is still to read.
    until(is_idle, id)
    client.asset(id).delete()
    until(lambda: id not in [asset.id for asset in client.assets()])
    print("done", flush=True)
    client.close()
"""


def taken():
    """Whether somebody answers at the ports of Pieces OS, where the wrapper would find it too."""
    for port in range(39300, 39334):
        with socket.socket() as probe:
            probe.settimeout(0.1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
    return False


def free_port():
    """The first of these ports that is free: any may be the local end of a connection of another test."""
    for port in range(39300, 39334):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return str(port)
    return pytest.skip("no port of Pieces OS is free")


@pytest.mark.slow
def test_the_wrapper_unchanged_lives_on_serve_at_the_port_of_pieces_os():
    if taken():
        pytest.skip("something else answers at the ports of Pieces OS")
    port = free_port()
    with started("serve", "--port", port) as server:
        url = re.search(r"http://\S+", server.stdout.readline())[0]
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PROGRAM), port],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as program:  # fmt: skip
            try:
                line = program.stdout.readline()
                assert line.startswith("changed by another:"), program.stderr.read()[-2000:]
                with pieces_orm.connect(url) as session:
                    asset = session.assets.get(line.split()[-1])
                    asset.name = "renamed by another"
                    asset.save()
                out, errors = program.communicate(timeout=50)
                assert "done\n" in out, errors[-2000:]
                assert program.returncode == 0
            finally:
                program.kill()
