"""Add a device in the config flow, against a cloud on real sockets."""

import json
import socket
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState, FlowType
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.const import DOMAIN
from simulator import CloudDevice, CodeFault, Simulator

from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, SetUp
from .connection_form import OTHER_SECRET, PLAIN, at, connects, triple
from .walk import Walk


async def test_first_page_asks_for_triple_and_endpoint(hass: HomeAssistant) -> None:
    """The other fields have common defaults, and the secret is empty."""
    walk = await Walk.add_device(hass)
    assert walk.step == "triple"
    assert walk.values == {"endpoint": "cn-shanghai", "advanced": {**PLAIN, "transport": "tls"}}
    assert walk.open_sections == set()


async def test_device_is_added_after_test_connection(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice
) -> None:
    """Whitespace around pasted values is removed, and empty fields are not stored."""
    walk = await Walk.add_device(hass)
    await walk.submit(
        product_key=f" {PRODUCT_KEY}", device_name=f"{DEVICE_NAME}\n", device_secret=f"{DEVICE_SECRET} ",
        endpoint=f" 127.0.0.1:{cloud.port} ", advanced={**PLAIN, "ca": " "},
    )  # fmt: skip
    await hass.async_block_till_done()

    assert walk.created
    entry = walk.result["result"]
    assert entry.title == DEVICE_NAME
    assert entry.unique_id == f"{PRODUCT_KEY}.{DEVICE_NAME}"
    assert entry.data == {**triple(), "endpoint": f"127.0.0.1:{cloud.port}", "transport": "tcp"}
    assert entry.state is ConfigEntryState.LOADED
    assert device.online


async def test_guided_road_opens_after_adding(hass: HomeAssistant, cloud: Simulator, device: CloudDevice) -> None:
    """The thing model is fetched while the page is open, which is closed together with the entry."""
    walk = await Walk.add_device(hass)
    await walk.submit(**triple(), **at(cloud))
    entry = walk.result["result"]
    kind, flow_id = walk.result["next_flow"]
    assert kind is FlowType.OPTIONS_FLOW
    (menu,) = hass.config_entries.options.async_progress_by_handler(entry.entry_id)
    assert (menu["flow_id"], menu["step_id"]) == (flow_id, "thing_model_fetch")

    # The frontend does not continue that flow, but starts one.
    opened = await hass.config_entries.options.async_init(entry.entry_id)
    assert opened["step_id"] == "thing_model_fetch"
    (menu,) = hass.config_entries.options.async_progress_by_handler(entry.entry_id)
    assert menu["flow_id"] == opened["flow_id"]
    later = await hass.config_entries.options.async_init(entry.entry_id)
    assert later["step_id"] == "init"

    await hass.async_block_till_done()
    await hass.config_entries.async_remove(entry.entry_id)
    assert hass.config_entries.options.async_progress() == []


async def test_port_of_advanced_section_is_used(hass: HomeAssistant, cloud: Simulator, device: CloudDevice) -> None:
    """Forms return numbers as floats, but the port is stored as an integer."""
    walk = await Walk.add_device(hass)
    await walk.submit(**triple(), endpoint="127.0.0.1", advanced={**PLAIN, "port": float(cloud.port)})
    assert walk.created
    assert walk.result["data"]["port"] == cloud.port
    assert isinstance(walk.result["data"]["port"], int)


async def test_first_page_is_serializable(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """The secret is a password field, and the advanced section is closed."""
    for component in ("config", "file_upload", "websocket_api"):  # no routes can be added once the test client runs
        assert await async_setup_component(hass, component, {})
    client = await hass_client()
    response = await client.post("/api/config/config_entries/flow", json={"handler": DOMAIN})
    menu = await response.json()
    assert (menu["type"], menu["menu_options"]) == ("menu", ["triple", "register", "account"])
    response = await client.post(f"/api/config/config_entries/flow/{menu['flow_id']}", json={"next_step_id": "triple"})
    fields = {field["name"]: field for field in (await response.json())["data_schema"]}
    assert list(fields) == ["product_key", "device_name", "device_secret", "endpoint", "advanced"]
    assert fields["device_secret"]["selector"]["text"]["type"] == "password"
    assert fields["endpoint"]["default"] == "cn-shanghai"
    assert not fields["advanced"]["expanded"]
    assert [field["name"] for field in fields["advanced"]["schema"]] == [
        "transport",
        "port",
        "ca",
        "host_kind",
        "text_events",
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [("product_key", "a1-b"), ("device_name", "gw"), ("device_secret", "with blank"), ("device_secret", "")],
)
async def test_malformed_value_is_reported_at_its_field(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, field: str, value: str
) -> None:
    """Nothing is sent to the cloud before the triple is well-formed, and correcting that field is enough."""
    walk = await Walk.add_device(hass)
    await walk.submit(**triple() | {field: value}, **at(cloud))
    assert walk.errors == {field: f"invalid_{field}"}
    assert connects(cloud) == 0

    await walk.submit(**triple(), **at(cloud))
    assert walk.created


@pytest.mark.parametrize(
    ("mistake", "error"),
    [({"product_key": "a1-b"}, "invalid_product_key"), ({"device_name": "gw"}, "invalid_device_name")],
)
async def test_secret_is_kept_after_error_in_another_field(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, mistake: dict[str, str], error: str
) -> None:
    """The secret is not shown, and an empty or blank field means the secret entered before."""
    walk = await Walk.add_device(hass)
    await walk.submit(**triple() | mistake, **at(cloud))
    assert list(walk.errors.values()) == [error]
    assert "device_secret" not in walk.values

    await walk.submit(**triple("  "), **at(cloud))
    assert walk.created
    assert walk.result["data"]["device_secret"] == DEVICE_SECRET


COPIED = json.dumps({"ProductKey": PRODUCT_KEY, "DeviceName": DEVICE_NAME, "DeviceSecret": DEVICE_SECRET})


@pytest.mark.parametrize(
    "pasted",
    [
        {"product_key": COPIED},
        {"product_key": PRODUCT_KEY, "device_name": f"\n {COPIED}"},
        {"device_secret": COPIED.replace("Product", "product").replace("Device", "device")},
    ],
)
async def test_triple_can_be_pasted_as_json(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, pasted: dict[str, str]
) -> None:
    """The JSON object of the console is accepted in any of the fields, and the secret in it stays hidden."""
    walk = await Walk.add_device(hass)
    await walk.submit(**pasted, **at(cloud) | {"endpoint": "nowhere at all"})
    assert walk.errors == {"endpoint": "invalid_endpoint"}
    assert (walk.values["product_key"], walk.values["device_name"]) == (PRODUCT_KEY, DEVICE_NAME)
    assert DEVICE_SECRET not in str(walk.values)

    await walk.submit(product_key=PRODUCT_KEY, device_name=DEVICE_NAME, **at(cloud))
    assert walk.created
    assert {key: walk.result["data"][key] for key in triple()} == triple()


async def test_other_json_is_refused(hass: HomeAssistant, cloud: Simulator) -> None:
    """It is an invalid value of the field like any other."""
    walk = await Walk.add_device(hass)
    await walk.submit(product_key='{"key": 1}', **at(cloud))
    assert walk.errors == {"product_key": "invalid_product_key"}


@pytest.mark.parametrize(
    ("endpoint", "port", "errors"),
    [
        ("127.0.0.1:1883", 443, {"endpoint": "port_twice"}),
        ("127.0.0.1", 0, {"advanced": "invalid_port"}),
        ("cn-shanghai", 65536, {"advanced": "invalid_port"}),
    ],
)
async def test_invalid_port_is_refused(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, endpoint: str, port: int, errors: dict[str, str]
) -> None:
    """The section with the port is open, so that the error is shown beside the field."""
    walk = await Walk.add_device(hass)
    await walk.submit(**triple(), endpoint=endpoint, advanced={**PLAIN, "port": port})
    assert walk.errors == errors
    assert walk.open_sections == {"advanced"}
    assert connects(cloud) == 0


async def test_advanced_section_opens_when_relevant(hass: HomeAssistant, socket_enabled: None) -> None:
    """It is open if a value differs from the default or the connection failed, but not after the error of another field."""
    usual = {"transport": "tls"}
    walk = await Walk.add_device(hass)
    await walk.submit(**triple() | {"device_name": "gw"}, endpoint="cn-shanghai", advanced=usual)
    assert walk.open_sections == set()

    await walk.submit(**triple(), endpoint="127.0.0.1:1", advanced=usual)
    assert walk.errors == {"base": "refused"}
    assert walk.open_sections == {"advanced"}

    await walk.submit(**triple() | {"device_name": "gw"}, endpoint="cn-shanghai", advanced=PLAIN)
    assert walk.open_sections == {"advanced"}


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1883", "127.0.0.1:99999", "cn shanghai", ""])
async def test_invalid_endpoint_is_refused(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, endpoint: str
) -> None:
    """The other values are kept, and the secret does not have to be entered again."""
    walk = await Walk.add_device(hass)
    await walk.submit(**triple(), **at(cloud) | {"endpoint": endpoint})
    assert walk.errors == {"endpoint": "invalid_endpoint"}
    assert walk.values == {
        "product_key": PRODUCT_KEY, "device_name": DEVICE_NAME, "endpoint": endpoint, "advanced": PLAIN
    }  # fmt: skip

    await walk.submit(product_key=PRODUCT_KEY, device_name=DEVICE_NAME, **at(cloud))
    assert walk.created
    assert walk.result["data"]["device_secret"] == DEVICE_SECRET


@pytest.mark.parametrize(
    ("mistake", "error"),
    [
        ({"device_secret": OTHER_SECRET}, "invalid_auth"),
        ({"endpoint": "127.0.0.1:1"}, "refused"),
        ({"advanced": {**PLAIN, "transport": "tls"}}, "tls_failed"),
    ],
)
async def test_connection_errors_are_explained(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, mistake: dict[str, Any], error: str
) -> None:
    """Each cause has its own text, and the next attempt can succeed in the same form."""
    walk = await Walk.add_device(hass)
    await walk.submit(**triple() | at(cloud) | mistake)
    assert walk.errors == {"base": error}
    assert "device_secret" not in walk.values

    await walk.submit(**triple(), **at(cloud))
    assert walk.created


async def test_unknown_host_is_reported(hass: HomeAssistant, cloud: Simulator, device: CloudDevice) -> None:
    """A wrong ProductKey has the same effect with a region, because it is part of the host. Tests use no real DNS."""
    walk = await Walk.add_device(hass)
    with patch("socket.getaddrinfo", side_effect=socket.gaierror(socket.EAI_NONAME, "no such host")) as resolve:
        await walk.submit(**triple(), endpoint="cn-shanghai", advanced=PLAIN)
    assert walk.errors == {"base": "host_not_found"}
    assert resolve.call_args.args[0] == f"{PRODUCT_KEY}.iot-as-mqtt.cn-shanghai.aliyuncs.com"

    await walk.submit(**triple(), **at(cloud))
    assert walk.created


@pytest.mark.parametrize(("code", "error"), [(2, "client_rejected"), (3, "server_unavailable"), (5, "invalid_auth")])
async def test_connack_codes_are_explained(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, code: int, error: str
) -> None:
    """Each code of the CONNACK has its own text."""
    cloud.faults.refuse_connect = CodeFault(code, 1)
    walk = await Walk.add_device(hass)
    await walk.submit(**triple(), **at(cloud))
    assert walk.errors == {"base": error}

    await walk.submit(**triple(), **at(cloud))
    assert walk.created


async def test_configured_device_stays_connected(hass: HomeAssistant, cloud: Simulator, set_up: SetUp) -> None:
    """The flow is aborted before the test connection, which would disconnect the running entry."""
    await set_up()
    walk = await Walk.add_device(hass)
    await walk.submit(**triple(), **at(cloud))
    assert walk.aborted == "already_configured"
    assert connects(cloud) == 1


async def test_test_connections_are_rate_limited(hass: HomeAssistant, cloud: Simulator, device: CloudDevice) -> None:
    """The sixth attempt within a minute is refused locally."""
    walk = await Walk.add_device(hass)
    for _ in range(5):
        await walk.submit(**triple(OTHER_SECRET), **at(cloud))
        assert walk.errors == {"base": "invalid_auth"}
    with patch("custom_components.aliyun_iot.config_flow.probe") as probe:
        await walk.submit(**triple(), **at(cloud))
    assert walk.errors == {"base": "too_many_attempts"}
    assert 0 < int(walk.result["description_placeholders"]["seconds"]) <= 60
    probe.assert_not_called()


async def test_unexpected_error_is_logged_without_secret(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, caplog: pytest.LogCaptureFixture
) -> None:
    """The user gets an answer, and the log contains the traceback but not the secret."""
    walk = await Walk.add_device(hass)
    with patch("custom_components.aliyun_iot.config_flow.probe", side_effect=ZeroDivisionError("defect")):
        await walk.submit(**triple(), **at(cloud))
    assert walk.errors == {"base": "unknown"}
    assert "ZeroDivisionError: defect" in caplog.text
    assert DEVICE_SECRET not in caplog.text

    await walk.submit(**triple(), **at(cloud))
    assert walk.created
