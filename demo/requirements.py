"""`python -m demo.requirements` prints the packages that Home Assistant's web interface needs besides Home Assistant.

Home Assistant would install these packages when it starts, but would also try to build two packages that many machines
can't build (see `stand_ins`). Therefore the demo installs them before, and starts Home Assistant with `--skip-pip`.
"""

from importlib.util import find_spec
import json
from pathlib import Path

INTEGRATIONS = ("camera", "conversation", "ffmpeg", "infrared", "radio_frequency", "tts")
"""Integrations that are always set up and have packages that Home Assistant itself does not require."""


def requirements() -> list[str]:
    """Return the requirements in the manifests of these integrations, with versions."""
    package = find_spec("homeassistant")
    assert package is not None  # noqa: S101 - scripts/setup has installed it
    assert package.origin is not None  # noqa: S101 - it is not a namespace package
    components = Path(package.origin).with_name("components")
    manifests = [json.loads((components / name / "manifest.json").read_text()) for name in INTEGRATIONS]
    return [requirement for manifest in manifests for requirement in manifest["requirements"]]


if __name__ == "__main__":
    print(*requirements(), sep="\n")  # noqa: T201 - the output of the module
