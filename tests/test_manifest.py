"""The manifest is what hassfest and people who look for a fault expect."""

import json
import logging
from pathlib import Path
from typing import Any, Final

from homeassistant.components.logger.helpers import get_integration_loggers
from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot import const
from simulator import CloudDevice

from .conftest import DEVICE_SECRET, SetUp

MANIFEST: Final[dict[str, Any]] = json.loads(
    (Path(const.__file__).parent / "manifest.json").read_text(encoding="utf-8")
)


def test_keys_are_in_the_order_of_hassfest() -> None:
    """Domain and name, then the alphabet."""
    assert list(MANIFEST) == ["domain", "name", *sorted(MANIFEST.keys() - {"domain", "name"})]


def test_integration_is_a_hub() -> None:
    """Other devices are going to be behind it."""
    assert MANIFEST["integration_type"] == "hub"


async def test_debug_logging_includes_the_mqtt_client(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """Home Assistant turns on the loggers of the manifest with those of the integration; none of them writes the secret."""
    loggers = await get_integration_loggers(hass, const.DOMAIN)
    assert {"paho", "custom_components.aliyun_iot"} <= loggers
    for name in loggers:
        caplog.set_level(logging.DEBUG, name)
    await set_up()
    written = [record.getMessage() for record in caplog.records if record.name.startswith("paho.")]
    assert any("Sending CONNECT" in line for line in written)
    assert any("Received CONNACK" in line for line in written)
    assert DEVICE_SECRET not in caplog.text
