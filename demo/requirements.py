"""`python -m demo.requirements` prints what has to be installed beside Home Assistant for its web interface to work.

Home Assistant fetches these packages by itself when it starts, but then also tries to build two that many machines can't
build (see `stand_ins`); so the demo starts it with `--skip-pip` and installs them before.
"""

from importlib.util import find_spec
import json
from pathlib import Path

INTEGRATIONS = ("camera", "conversation", "ffmpeg", "infrared", "radio_frequency", "tts")
"""Those of the integrations that always start whose packages are not among Home Assistant's own requirements."""


def requirements() -> list[str]:
    """Return the requirements that the manifests of the installed Home Assistant name, with their versions."""
    package = find_spec("homeassistant")
    assert package is not None  # noqa: S101 - scripts/setup has installed it
    assert package.origin is not None  # noqa: S101 - it is no namespace package
    components = Path(package.origin).with_name("components")
    manifests = [json.loads((components / name / "manifest.json").read_text()) for name in INTEGRATIONS]
    return [requirement for manifest in manifests for requirement in manifest["requirements"]]


if __name__ == "__main__":
    print(*requirements(), sep="\n")  # noqa: T201 - that is all it does
