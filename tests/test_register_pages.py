"""Register a device with the secret of its product in the config flow, against a cloud with TLS."""

import asyncio
from collections.abc import AsyncGenerator
import json
import logging
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.alink.errors import ConnectTimeout
from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.registered import async_registered_secrets
from simulator import CloudDevice, Product, Simulator

from .certificates import self_signed
from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY
from .walk import Walk

PRODUCT_SECRET = "5ec0ffee5ec0ffee"
PROBE = "custom_components.aliyun_iot.config_flow.probe"


@pytest.fixture
async def cloud(socket_enabled: None, tmp_path: Path) -> AsyncGenerator[Simulator]:
    """Run a cloud with TLS, and remember its certificate."""
    context, authority = self_signed(tmp_path)
    (tmp_path / "authority").write_text(authority)
    async with Simulator(tls=context, connects_per_minute=None) as simulator:
        yield simulator


@pytest.fixture
def product(cloud: Simulator) -> Product:
    """Return a product whose devices may register."""
    return cloud.add_product(PRODUCT_KEY, secret=PRODUCT_SECRET, dynamic_registration=True)


@pytest.fixture
def device(cloud: Simulator, product: Product) -> CloudDevice:
    """Return a device that was never online."""
    return cloud.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)


class Form:
    """What the user enters."""

    def __init__(self, cloud: Simulator, authority: str) -> None:
        """Take the cloud and its certificate."""
        self._cloud = cloud
        self._authority = authority

    def fields(self, **changes: Any) -> dict[str, Any]:
        """Return the fields, for a registration over MQTT."""
        advanced = {"transport": "tls", "ca": self._authority} | changes.pop("advanced", {})
        return {
            "product_key": PRODUCT_KEY,
            "device_name": DEVICE_NAME,
            "product_secret": PRODUCT_SECRET,
            "endpoint": f"127.0.0.1:{self._cloud.port}",
            "advanced": advanced,
        } | changes

    def over_https(self, **changes: Any) -> dict[str, Any]:
        """Return the fields for a registration over HTTPS."""
        return self.fields(advanced={"registration_host": f"127.0.0.1:{self._cloud.web_port}"}, **changes)


@pytest.fixture
def form(cloud: Simulator, tmp_path: Path) -> Form:
    """Return what the user enters."""
    return Form(cloud, (tmp_path / "authority").read_text())


def secrets_in_log(caplog: pytest.LogCaptureFixture) -> set[str]:
    """Return the secrets that were logged; the stand-in of the tests for the disk logs what is written to it."""
    lines = [
        f"{record.getMessage()} {record.exc_info}"
        for record in caplog.records
        if not record.name.startswith("pytest_homeassistant_custom_component")
    ]
    return {secret for secret in (PRODUCT_SECRET, DEVICE_SECRET) if any(secret in line for line in lines)}


async def added(hass: HomeAssistant, walk: Walk, storage: dict[str, Any], device: CloudDevice) -> None:
    """Check that the device was added, and unload it."""
    assert walk.created
    await hass.async_block_till_done()
    entry = walk.result["result"]
    assert entry.data["device_secret"] == DEVICE_SECRET
    assert entry.state is ConfigEntryState.LOADED
    assert device.online
    assert PRODUCT_SECRET not in json.dumps(storage) + json.dumps(dict(entry.data))
    assert (await async_registered_secrets(hass)).find(PRODUCT_KEY, DEVICE_NAME) is None
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("https", [False, True])
async def test_device_is_registered_and_added(
    hass: HomeAssistant,
    device: CloudDevice,
    form: Form,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    https: bool,
) -> None:
    """The cloud gives it the secret; neither secret is in the log."""
    caplog.set_level(logging.DEBUG)
    walk = await Walk.add_device(hass, "register")
    await walk.submit(**form.over_https() if https else form.fields())
    assert device.registered
    await added(hass, walk, hass_storage, device)
    assert "/ext/register" in caplog.text or https
    assert secrets_in_log(caplog) == set()


async def test_registration_is_encrypted_whatever_the_transport_is(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, form: Form
) -> None:
    """The secret would be readable otherwise; the connection itself then fails, because this cloud has only TLS."""
    walk = await Walk.add_device(hass, "register")
    await walk.submit(**form.fields(advanced={"transport": "tcp"}))
    assert walk.errors == {"base": "connection_lost"}
    assert device.registered


@pytest.mark.parametrize("restart", [False, True])
async def test_secret_survives_a_failed_connection_and_a_restart(
    hass: HomeAssistant, device: CloudDevice, form: Form, hass_storage: dict[str, Any], restart: bool
) -> None:
    """The cloud would not give it again; the next attempt uses what was kept, from the disk after a crash."""
    walk = await Walk.add_device(hass, "register")
    with patch(PROBE, side_effect=ConnectTimeout("silent")):
        await walk.submit(**form.fields())
    assert walk.errors == {"base": "timed_out"}
    assert hass_storage[f"{DOMAIN}.registered"]["data"] == {f"{PRODUCT_KEY}.{DEVICE_NAME}": DEVICE_SECRET}
    assert "product_secret" not in walk.values

    if restart:
        hass.data.pop(f"{DOMAIN}_registered")
        walk = await Walk.add_device(hass, "register")
        await walk.submit(**form.fields())
    else:
        await walk.submit(**form.fields(product_secret=""))
    await added(hass, walk, hass_storage, device)


async def test_secret_survives_the_end_of_the_request(
    hass: HomeAssistant, device: CloudDevice, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser may be closed while the cloud answers."""
    walk = await Walk.add_device(hass, "register")
    submitting = hass.async_create_task(walk.submit(**form.fields()))
    while not device.registered:
        await asyncio.sleep(0)
    submitting.cancel()
    await asyncio.gather(submitting, return_exceptions=True)
    await hass.async_block_till_done()
    assert (await async_registered_secrets(hass)).find(PRODUCT_KEY, DEVICE_NAME) == DEVICE_SECRET


async def test_kept_secret_that_is_wrong_is_replaced(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, form: Form, hass_storage: dict[str, Any]
) -> None:
    """The device was deleted and created again meanwhile."""
    walk = await Walk.add_device(hass, "register")
    with patch(PROBE, side_effect=ConnectTimeout("silent")):
        await walk.submit(**form.fields())
    other = cloud.add_device(PRODUCT_KEY, DEVICE_NAME, "0ther5ec0ffee0ther5ec0ffee")
    await walk.submit(**form.fields())
    assert walk.created
    assert walk.result["data"]["device_secret"] == other.device_secret
    await hass.async_block_till_done()
    await hass.config_entries.async_unload(walk.result["result"].entry_id)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"product_secret": "0123456789abcdef"}, "product_secret_wrong"),
        ({"product_key": "a1Nowhere01"}, "product_unknown"),
        ({"device_name": "nobody"}, "device_unknown"),
    ],
)
async def test_refusal_names_what_is_wrong(
    hass: HomeAssistant, device: CloudDevice, form: Form, changes: dict[str, str], error: str
) -> None:
    """Over HTTPS the cloud says why; over MQTT it does not, so all causes are named."""
    walk = await Walk.add_device(hass, "register")
    await walk.submit(**form.over_https(**changes))
    assert walk.errors == {"base": error}
    await walk.submit(**form.fields(**changes))
    assert walk.errors == {"base": "registration_refused"}
    assert not device.registered


async def test_product_without_dynamic_registration(
    hass: HomeAssistant, product: Product, device: CloudDevice, form: Form, hass_storage: dict[str, Any]
) -> None:
    """It works as soon as it is switched on in the console."""
    product.dynamic_registration = False
    walk = await Walk.add_device(hass, "register")
    await walk.submit(**form.over_https())
    assert walk.errors == {"base": "registration_off"}
    product.dynamic_registration = True
    await walk.submit(**form.over_https())
    await added(hass, walk, hass_storage, device)


async def test_device_that_has_its_secret_already(hass: HomeAssistant, device: CloudDevice, form: Form) -> None:
    """It was registered by something else."""
    device.registered = True
    walk = await Walk.add_device(hass, "register")
    await walk.submit(**form.over_https())
    assert walk.errors == {"base": "already_registered"}


async def test_other_code_is_shown(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, form: Form) -> None:
    """Such as an error of the server."""
    cloud.faults.set(answer_code={"code": 500, "count": 1})
    walk = await Walk.add_device(hass, "register")
    await walk.submit(**form.over_https())
    assert walk.errors == {"base": "registration_failed"}
    assert "500" in walk.result["description_placeholders"]["reason"]


async def test_host_that_registers_only_over_https(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, form: Form, hass_storage: dict[str, Any]
) -> None:
    """The error says so, and the advanced section is open."""
    cloud.faults.set(refuse_connect={"code": 2, "count": 1})
    walk = await Walk.add_device(hass, "register")
    await walk.submit(**form.fields())
    assert walk.errors == {"base": "registration_not_over_mqtt"}
    assert walk.open_sections == {"advanced"}
    await walk.submit(**form.over_https())
    await added(hass, walk, hass_storage, device)


async def test_malformed_input_is_reported_at_its_field(hass: HomeAssistant, device: CloudDevice, form: Form) -> None:
    """Nothing is sent before."""
    walk = await Walk.add_device(hass, "register")
    for field, value in (("product_key", "a-b"), ("device_name", "gw"), ("product_secret", "with blank")):
        await walk.submit(**form.fields(**{field: value}))
        assert walk.errors == {field: f"invalid_{field}"}
    await walk.submit(**form.fields(advanced={"registration_host": "no host"}))
    assert walk.errors == {"advanced": "invalid_endpoint"}
    await walk.submit(**form.fields(advanced={"registration_host": "http://cloud.example"}))
    assert walk.errors == {"advanced": "invalid_endpoint"}
    assert not device.registered


async def test_device_that_is_set_up_is_not_registered(
    hass: HomeAssistant, device: CloudDevice, form: Form, hass_storage: dict[str, Any]
) -> None:
    """Its registration would fail, or give it a second secret."""
    walk = await Walk.add_device(hass, "register")
    await walk.submit(**form.fields())
    await added(hass, walk, hass_storage, device)
    walk = await Walk.add_device(hass, "register")
    await walk.submit(**form.fields())
    assert walk.aborted == "already_configured"
