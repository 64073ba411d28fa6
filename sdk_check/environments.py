"""The SDKs, each in an environment of its own beside the project's: made once, never committed.

They are installed by the pip and npm of this machine, from wherever these are configured to look.
"""

from collections.abc import Sequence
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys

ROOT = Path(__file__).resolve().parent.parent
PYTHON_ENVIRONMENT = ROOT / ".venv-sdk"
PYTHON = PYTHON_ENVIRONMENT / "bin" / "python"
NODE_ENVIRONMENT = ROOT / ".venv-sdk-node"

LINKKIT_VERSION = "1.2.13"
PYTHON_PACKAGES = (
    f"aliyun-iot-linkkit=={LINKKIT_VERSION}",
    "paho-mqtt<2",  # which this SDK needs
    "crcmod",
    "alibabacloud-iot20180120==5.1.0",
    "aliyun-python-sdk-iot==8.59.0",
)
NODE_SDK = "alibabacloud-iot-device-sdk"
NODE_PACKAGES = (f"{NODE_SDK}@1.2.8", "jest@29")
"""The SDK, and what runs its own tests."""
NODE_TESTS = Path("test") / "fixtures.js"
"""Where the tests of the SDK have their devices, in its repository."""


NO_QUESTIONS = {"GIT_TERMINAL_PROMPT": "0"}


class SdkUnavailable(Exception):  # noqa: N818 - named after what happened
    """An SDK can't be installed here."""


def install_python() -> Path:
    """Install the Python SDKs and return their interpreter; raise SdkUnavailable."""
    marker = PYTHON_ENVIRONMENT / "installed"
    if not _is_current(marker, PYTHON_PACKAGES):
        # The Python of the project's environment may lack pip and venv.
        python = shutil.which("python3") or sys.executable
        _run(python, "-m", "venv", "--clear", PYTHON_ENVIRONMENT)
        _run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PYTHON_PACKAGES)
        marker.write_text(repr(PYTHON_PACKAGES))
    return PYTHON


def install_node() -> Path:
    """Install the Node SDK and return the folder of the modules; raise SdkUnavailable."""
    marker = NODE_ENVIRONMENT / "installed"
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise SdkUnavailable("node and npm are not installed")
    if not _is_current(marker, NODE_PACKAGES):
        NODE_ENVIRONMENT.mkdir(exist_ok=True)
        quietly = ("--no-audit", "--no-fund", "--loglevel=error")
        _run("npm", "install", "--prefix", NODE_ENVIRONMENT, *quietly, *NODE_PACKAGES)
        marker.write_text(repr(NODE_PACKAGES))
    return NODE_ENVIRONMENT / "node_modules"


def clone_node_tests() -> Path:
    """Return a checkout of the repository that the Node SDK names, for its tests; raise SdkUnavailable."""
    checkout = NODE_ENVIRONMENT / "repository"
    if not (checkout / NODE_TESTS).exists():
        package = NODE_ENVIRONMENT / "node_modules" / NODE_SDK / "package.json"
        address = json.loads(package.read_text(encoding="utf-8"))["homepage"]
        _run("git", "-c", "credential.helper=", "clone", "--quiet", "--depth", "1", address, checkout)
    return checkout


def _is_current(marker: Path, packages: Sequence[str]) -> bool:
    return marker.exists() and marker.read_text() == repr(packages)


def _run(*command: str | Path) -> None:
    try:
        subprocess.run(  # noqa: S603 - our own commands
            command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, env=os.environ | NO_QUESTIONS
        )
    except OSError as error:
        raise SdkUnavailable(str(error)) from None
    except subprocess.CalledProcessError as error:
        raise SdkUnavailable(f"{' '.join(map(str, command))}: {error.stdout}{error.stderr}".strip()) from None
