"""What tests enter in the forms of the config flow."""

from typing import Any

from simulator import Simulator

from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY

OTHER_SECRET = "badc0ffebadc0ffebadc0ffebadc0ffe"
PLAIN = {"transport": "tcp", "host_kind": "aliyun", "text_events": False}


def triple(secret: str = DEVICE_SECRET) -> dict[str, str]:
    """Return the device triple as the user enters it."""
    return {"product_key": PRODUCT_KEY, "device_name": DEVICE_NAME, "device_secret": secret}


def at(cloud: Simulator, **advanced: Any) -> dict[str, Any]:
    """Return how to reach a cloud on this machine."""
    return {"endpoint": f"127.0.0.1:{cloud.port}", "advanced": {**PLAIN, **advanced}}


def connects(cloud: Simulator) -> int:
    """Return how many connections the cloud has accepted from the device."""
    return cloud.device(PRODUCT_KEY, DEVICE_NAME).connections
