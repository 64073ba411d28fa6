"""The devices of the benchmarks, as the cloud knows them."""

from dataclasses import dataclass, field
import secrets
from typing import Any

PRODUCT_KEY = "a1HomeBench"
SWITCH = "LightSwitch"

THING_MODEL: dict[str, Any] = {
    "profile": {"productKey": PRODUCT_KEY},
    "properties": [
        {
            "identifier": SWITCH,
            "name": "Light switch",
            "accessMode": "rw",
            "required": False,
            "dataType": {"type": "bool", "specs": {"0": "off", "1": "on"}},
        }
    ],
    "events": [],
    "services": [],
}


@dataclass(frozen=True, slots=True)
class Device:
    """A device triple, with a new secret by default."""

    device_name: str
    secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
