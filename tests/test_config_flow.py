"""Adding a device, entering its secret again and changing how it connects, with a cloud that answers on real sockets."""

from collections.abc import Mapping
import datetime as dt
import ipaddress
import json
from pathlib import Path
import socket
import ssl
from typing import Any
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntryState, FlowType
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.const import DOMAIN
from simulator import CloudDevice, CodeFault, Simulator

from .conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, SetUp
from .walk import Walk

OTHER_SECRET = "badc0ffebadc0ffebadc0ffebadc0ffe"
PLAIN = {"transport": "tcp"}


def triple(secret: str = DEVICE_SECRET) -> dict[str, str]:
    """Return what the user copies from the console."""
    return {"product_key": PRODUCT_KEY, "device_name": DEVICE_NAME, "device_secret": secret}


def at(cloud: Simulator, **advanced: Any) -> dict[str, Any]:
    """Return how to reach a cloud on this machine."""
    return {"endpoint": f"127.0.0.1:{cloud.port}", "advanced": {**PLAIN, **advanced}}


def connects(cloud: Simulator) -> int:
    """Return how many connections the cloud has accepted."""
    return cloud.device(PRODUCT_KEY, DEVICE_NAME).connections


async def test_the_first_page_asks_for_three_strings_and_a_region(hass: HomeAssistant) -> None:
    """Everything else has a value that suits most people, and the secret is not there."""
    walk = await Walk.add_device(hass)
    assert walk.step == "user"
    assert walk.values == {"endpoint": "cn-shanghai", "advanced": {"transport": "tls"}}
    assert walk.open_sections == set()


async def test_a_device_is_added_after_it_has_connected(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice
) -> None:
    """Blanks that came with the clipboard do not matter; what was left empty is not stored."""
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


async def test_the_menu_of_the_options_follows(hass: HomeAssistant, cloud: Simulator, device: CloudDevice) -> None:
    """What comes next is to say what the device stands for; closed or left open, the menu leaves nothing behind."""
    walk = await Walk.add_device(hass)
    await walk.submit(**triple(), **at(cloud))
    entry = walk.result["result"]
    kind, flow_id = walk.result["next_flow"]
    assert kind is FlowType.OPTIONS_FLOW
    (menu,) = hass.config_entries.options.async_progress_by_handler(entry.entry_id)
    assert (menu["flow_id"], menu["step_id"]) == (flow_id, "init")

    await hass.async_block_till_done()
    await hass.config_entries.async_remove(entry.entry_id)
    assert hass.config_entries.options.async_progress() == []


async def test_the_port_of_the_advanced_section_is_used(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice
) -> None:
    """Forms give numbers as floats; a port is none."""
    walk = await Walk.add_device(hass)
    await walk.submit(**triple(), endpoint="127.0.0.1", advanced={**PLAIN, "port": float(cloud.port)})
    assert walk.created
    assert walk.result["data"]["port"] == cloud.port
    assert isinstance(walk.result["data"]["port"], int)


async def test_the_first_page_reaches_a_browser(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """The secret is a password field, and the section is closed."""
    for component in ("config", "file_upload"):  # a test client takes no more routes
        assert await async_setup_component(hass, component, {})
    client = await hass_client()
    response = await client.post("/api/config/config_entries/flow", json={"handler": DOMAIN})
    fields = {field["name"]: field for field in (await response.json())["data_schema"]}
    assert list(fields) == ["product_key", "device_name", "device_secret", "endpoint", "advanced"]
    assert fields["device_secret"]["selector"]["text"]["type"] == "password"
    assert fields["endpoint"]["default"] == "cn-shanghai"
    assert not fields["advanced"]["expanded"]
    assert [field["name"] for field in fields["advanced"]["schema"]] == ["transport", "port", "ca"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("product_key", "a1-b"), ("device_name", "gw"), ("device_secret", "with blank"), ("device_secret", "")],
)
async def test_a_malformed_string_is_named_at_its_field(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, field: str, value: str
) -> None:
    """Nothing is sent to the cloud before the three strings can be right; correcting that one is enough."""
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
async def test_a_slip_in_another_field_does_not_cost_the_secret(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, mistake: dict[str, str], error: str
) -> None:
    """It is not shown, and an empty field means the one entered before; a field with blanks alone is empty."""
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
async def test_what_the_console_copies_can_be_pasted(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, pasted: dict[str, str]
) -> None:
    """All three strings are in it, whichever field it comes in; the secret in it stays hidden."""
    walk = await Walk.add_device(hass)
    await walk.submit(**pasted, **at(cloud) | {"endpoint": "nowhere at all"})
    assert walk.errors == {"endpoint": "invalid_endpoint"}
    assert (walk.values["product_key"], walk.values["device_name"]) == (PRODUCT_KEY, DEVICE_NAME)
    assert DEVICE_SECRET not in str(walk.values)

    await walk.submit(product_key=PRODUCT_KEY, device_name=DEVICE_NAME, **at(cloud))
    assert walk.created
    assert {key: walk.result["data"][key] for key in triple()} == triple()


async def test_json_with_something_else_in_it_is_no_name(hass: HomeAssistant, cloud: Simulator) -> None:
    """The page says so at the field, as of any other string that can't be right."""
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
async def test_a_port_that_can_not_be_used(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, endpoint: str, port: int, errors: dict[str, str]
) -> None:
    """The section with the port is open, so that the sentence is beside what it speaks of."""
    walk = await Walk.add_device(hass)
    await walk.submit(**triple(), endpoint=endpoint, advanced={**PLAIN, "port": port})
    assert walk.errors == errors
    assert walk.open_sections == {"advanced"}
    assert connects(cloud) == 0


async def test_the_advanced_section_is_open_when_something_is_in_it(hass: HomeAssistant, socket_enabled: None) -> None:
    """Or when it may have to do with an error: those of the connection send people there, those of a field do not."""
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
async def test_an_endpoint_that_is_none_of_the_three_kinds(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, endpoint: str
) -> None:
    """What was typed stays, but for the secret, which need not be typed again either."""
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
        ({"advanced": {"transport": "tls"}}, "tls_failed"),
    ],
)
async def test_why_the_device_does_not_connect(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, mistake: dict[str, Any], error: str
) -> None:
    """Each cause has its own text, and the next try can succeed in the same dialogue."""
    walk = await Walk.add_device(hass)
    await walk.submit(**triple() | at(cloud) | mistake)
    assert walk.errors == {"base": error}
    assert "device_secret" not in walk.values

    await walk.submit(**triple(), **at(cloud))
    assert walk.created


async def test_a_host_that_does_not_exist(hass: HomeAssistant, cloud: Simulator, device: CloudDevice) -> None:
    """A wrong ProductKey has the same effect in a region, since it is part of the host; tests may not ask any DNS."""
    walk = await Walk.add_device(hass)
    with patch("socket.getaddrinfo", side_effect=socket.gaierror(socket.EAI_NONAME, "no such host")) as resolve:
        await walk.submit(**triple(), endpoint="cn-shanghai", advanced=PLAIN)
    assert walk.errors == {"base": "host_not_found"}
    assert resolve.call_args.args[0] == f"{PRODUCT_KEY}.iot-as-mqtt.cn-shanghai.aliyuncs.com"

    await walk.submit(**triple(), **at(cloud))
    assert walk.created


@pytest.mark.parametrize(("code", "error"), [(2, "client_rejected"), (3, "server_unavailable"), (5, "invalid_auth")])
async def test_why_the_cloud_refuses(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, code: int, error: str
) -> None:
    """The code of the CONNACK becomes a sentence."""
    cloud.faults.refuse_connect = CodeFault(code, 1)
    walk = await Walk.add_device(hass)
    await walk.submit(**triple(), **at(cloud))
    assert walk.errors == {"base": error}

    await walk.submit(**triple(), **at(cloud))
    assert walk.created


async def test_a_private_host_with_its_own_certificate_authority(
    hass: HomeAssistant, socket_enabled: None, tmp_path: Path
) -> None:
    """An unknown certificate is refused; once its authority was pasted, the device connects by TLS."""
    context, authority = self_signed(tmp_path)
    async with Simulator(tls=context, connects_per_minute=None) as cloud:
        cloud.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
        walk = await Walk.add_device(hass)
        await walk.submit(**triple(), **at(cloud, transport="tls"))
        assert walk.errors == {"base": "certificate_invalid"}

        await walk.submit(**triple(), **at(cloud, transport="tls", ca="no certificate"))
        assert walk.errors == {"advanced": "invalid_ca"}

        await walk.submit(**triple(), **at(cloud, transport="tls", ca=authority))
        assert walk.created
        assert walk.result["data"]["ca"] == authority.strip()
        await hass.async_block_till_done()
        await hass.config_entries.async_unload(walk.result["result"].entry_id)


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("cn-shanghai", f"{PRODUCT_KEY}.iot-as-mqtt.cn-shanghai.aliyuncs.com"),
        ("iot-06z00abcdefghij", "iot-06z00abcdefghij.mqtt.iothub.aliyuncs.com"),
    ],
)
async def test_platform_behind_a_proxy_that_inspects_tls(
    hass: HomeAssistant, socket_enabled: None, tmp_path: Path, endpoint: str, host: str
) -> None:
    """The user's certificate authority is used and stored for a region and an instance ID as well."""
    server_context, authority = self_signed(tmp_path, host)
    way = {"endpoint": endpoint, "advanced": {"transport": "tls"}}
    async with Simulator(tls=server_context, connects_per_minute=None) as proxy:
        proxy.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
        way["advanced"] |= {"port": proxy.port}
        with patch("socket.getaddrinfo", answer_for(host)):
            walk = await Walk.add_device(hass)
            await walk.submit(**triple(), **way)
            assert walk.errors == {"base": "certificate_invalid"}

            way["advanced"] |= {"ca": authority}
            await walk.submit(**triple(), **way)
            assert walk.created
            entry = walk.result["result"]
            await hass.async_block_till_done()
            assert entry.state is ConfigEntryState.LOADED

            context = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
            walk = Walk.config(hass, await hass.config_entries.flow.async_init(DOMAIN, context=context))
            assert walk.values["advanced"]["ca"] == authority.strip()
            await walk.submit(**way)
            assert walk.aborted == "reconfigure_successful"
            assert entry.data["ca"] == authority.strip()
            await hass.config_entries.async_unload(entry.entry_id)


async def test_a_device_that_is_already_there_is_not_disturbed(
    hass: HomeAssistant, cloud: Simulator, set_up: SetUp
) -> None:
    """A trial connection would kick the running one out."""
    await set_up()
    walk = await Walk.add_device(hass)
    await walk.submit(**triple(), **at(cloud))
    assert walk.aborted == "already_configured"
    assert connects(cloud) == 1


async def test_the_cloud_is_not_asked_more_often_than_it_allows(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice
) -> None:
    """The sixth try within a minute waits for the user instead of being refused by the cloud."""
    walk = await Walk.add_device(hass)
    for _ in range(5):
        await walk.submit(**triple(OTHER_SECRET), **at(cloud))
        assert walk.errors == {"base": "invalid_auth"}
    with patch("custom_components.aliyun_iot.config_flow.probe") as probe:
        await walk.submit(**triple(), **at(cloud))
    assert walk.errors == {"base": "too_many_attempts"}
    assert 0 < int(walk.result["description_placeholders"]["seconds"]) <= 60
    probe.assert_not_called()


async def test_the_unexpected_is_logged_without_the_secret(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, caplog: pytest.LogCaptureFixture
) -> None:
    """A defect of ours must not leave the user without an answer, nor tell anybody the secret."""
    walk = await Walk.add_device(hass)
    with patch("custom_components.aliyun_iot.config_flow.probe", side_effect=ZeroDivisionError("defect")):
        await walk.submit(**triple(), **at(cloud))
    assert walk.errors == {"base": "unknown"}
    assert "ZeroDivisionError: defect" in caplog.text
    assert DEVICE_SECRET not in caplog.text

    await walk.submit(**triple(), **at(cloud))
    assert walk.created


async def test_a_new_secret_brings_a_running_device_back(
    hass: HomeAssistant, cloud: Simulator, set_up: SetUp, thing_model_document: Mapping[str, Any]
) -> None:
    """The secret was reset in the console; the entry is reloaded by its own listener, once."""
    entry = await set_up()
    device = cloud.add_device(PRODUCT_KEY, DEVICE_NAME, OTHER_SECRET, tsl=thing_model_document)
    walk = Walk.config(hass, await entry.start_reauth_flow(hass))
    assert walk.step == "reauth_confirm"
    assert walk.values == {}
    assert DEVICE_NAME in walk.description()

    await walk.submit(device_secret=f" {OTHER_SECRET} ")
    assert walk.aborted == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.data["device_secret"] == OTHER_SECRET
    assert entry.state is ConfigEntryState.LOADED
    assert device.online
    assert device.connections == 2


async def test_a_device_that_was_only_disabled_comes_back_without_its_secret(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp
) -> None:
    """Still disabled, the page says that of its own accord; enabled again, an empty field is enough."""
    device.disabled = True
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    walk = Walk.config(hass, await hass.config_entries.flow.async_configure(flow["flow_id"], None))
    await walk.submit()
    assert walk.errors == {"base": "still_refused"}

    device.disabled = False
    await walk.submit()
    assert walk.aborted == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data["device_secret"] == DEVICE_SECRET
    assert device.online


async def test_a_device_that_was_disabled_for_a_while_connects_at_once(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The entry keeps running meanwhile; whoever submits the empty field need not wait for its next try."""
    entry = await set_up()
    device.disabled = True
    device.connection.close("device is disabled")
    await device.wait_for(lambda device: not device.online)
    walk = Walk.config(hass, await entry.start_reauth_flow(hass))
    device.disabled = False
    await walk.submit(device_secret=" ")
    assert walk.aborted == "reauth_successful"
    await device.wait_for(lambda device: device.online)
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize(
    ("secret", "errors"),
    [(OTHER_SECRET, {"base": "still_refused"}), ("with blank", {"device_secret": "invalid_device_secret"})],
)
async def test_a_wrong_secret_leaves_the_running_device_as_it_was(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, secret: str, errors: dict[str, str]
) -> None:
    """The link was out of the way during the trial and is back afterwards; the right secret then ends the flow."""
    entry = await set_up()
    walk = Walk.config(hass, await entry.start_reauth_flow(hass))
    await walk.submit(device_secret=secret)
    assert walk.errors == errors
    await device.wait_for(lambda device: device.online)

    await walk.submit(device_secret=DEVICE_SECRET)
    assert walk.aborted == "reauth_successful"
    await device.wait_for(lambda device: device.online)
    assert entry.data["device_secret"] == DEVICE_SECRET


async def test_an_entry_that_never_came_up_starts_with_the_right_secret(
    hass: HomeAssistant, device: CloudDevice, entry_data: dict[str, Any], set_up: SetUp
) -> None:
    """Such an entry has no listener, so the flow has it set up again."""
    entry_data["device_secret"] = OTHER_SECRET
    entry = await set_up()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    walk = Walk.config(hass, await hass.config_entries.flow.async_configure(flow["flow_id"], None))

    await walk.submit(device_secret=DEVICE_SECRET)
    assert walk.aborted == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert device.online


async def test_a_device_moves_to_another_host(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """Reconfiguring starts with what is known, keeps the identity, and an empty secret keeps the secret."""
    entry = await set_up()
    async with Simulator(connects_per_minute=None) as elsewhere:
        moved = elsewhere.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
        walk = Walk.config(hass, await entry.start_reconfigure_flow(hass))
        assert walk.step == "reconfigure"
        assert walk.values == {"endpoint": entry.data["endpoint"], "advanced": PLAIN}

        await walk.submit(**at(elsewhere))
        assert walk.aborted == "reconfigure_successful"
        await hass.async_block_till_done()
        assert entry.data == {**triple(), "endpoint": f"127.0.0.1:{elsewhere.port}", "transport": "tcp"}
        assert entry.state is ConfigEntryState.LOADED
        assert moved.online
        assert not device.online
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_host_that_does_not_work_is_not_moved_to(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """What was typed stays in the form; the old connection comes back; sending the old values changes nothing."""
    entry = await set_up()
    walk = Walk.config(hass, await entry.start_reconfigure_flow(hass))
    await walk.submit(endpoint="127.0.0.1", device_secret=OTHER_SECRET, advanced={**PLAIN, "port": 1})
    assert walk.errors == {"base": "refused"}
    assert walk.values == {"endpoint": "127.0.0.1", "advanced": {**PLAIN, "port": 1}}
    await device.wait_for(lambda device: device.online)

    before = entry.data
    await walk.submit(**at(cloud))
    assert walk.aborted == "reconfigure_successful"
    await device.wait_for(lambda device: device.online)
    assert entry.data == before


@pytest.mark.parametrize(
    ("mistake", "errors"),
    [
        ({"endpoint": "http://nonsense"}, {"endpoint": "invalid_endpoint"}),
        ({"device_secret": "with blank"}, {"device_secret": "invalid_device_secret"}),
        ({"advanced": {**PLAIN, "ca": "no certificate"}}, {"advanced": "invalid_ca"}),
    ],
)
async def test_a_slip_of_the_keyboard_does_not_disturb_the_running_device(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    mistake: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """What can be told without connecting is told without disconnecting; each connect counts, of five a minute."""
    entry = await set_up()
    walk = Walk.config(hass, await entry.start_reconfigure_flow(hass))
    await walk.submit(**at(cloud) | mistake)
    assert walk.errors == errors
    await entry.runtime_data.link.wait_online(5)
    assert connects(cloud) == 1


async def test_a_device_that_may_not_connect_again_yet_stays_connected(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Five connects in a minute are used up; to give up the one that works would leave the device offline."""
    entry = await set_up()
    link = entry.runtime_data.link
    while not link.config.pacer.delay():
        link.config.pacer.connected()
    walk = Walk.config(hass, await entry.start_reconfigure_flow(hass))
    await walk.submit(endpoint="127.0.0.1", advanced={**PLAIN, "port": 1})
    assert walk.errors == {"base": "too_many_attempts"}
    assert int(walk.result["description_placeholders"]["seconds"]) > 0
    assert link.state is LinkState.ONLINE


async def test_other_words_for_the_same_way_cost_nothing(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The port has moved into its own field: the data are others, the connection is the same and comes back."""
    entry = await set_up()
    walk = Walk.config(hass, await entry.start_reconfigure_flow(hass))
    await walk.submit(endpoint="127.0.0.1", advanced={**PLAIN, "port": cloud.port})
    assert walk.aborted == "reconfigure_successful"
    assert entry.data["port"] == cloud.port
    await entry.runtime_data.link.wait_online(5)
    assert device.online


async def test_a_trial_does_not_revive_an_entry_that_was_unloaded_meanwhile(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Somebody disables the entry while the host is being tried."""
    entry = await set_up()
    walk = Walk.config(hass, await entry.start_reconfigure_flow(hass))

    async def unload(_config: object) -> None:
        await hass.config_entries.async_unload(entry.entry_id)
        raise ZeroDivisionError

    with patch("custom_components.aliyun_iot.config_flow.probe", unload):
        await walk.submit(**at(cloud))
    assert walk.errors == {"base": "unknown"}
    assert not device.online
    assert connects(cloud) == 1


def answer_for(host: str) -> Any:
    """Return a replacement for `socket.getaddrinfo` that finds this host on the loopback interface."""
    look_up = socket.getaddrinfo

    def getaddrinfo(name: str, *args: Any, **options: Any) -> Any:
        return look_up("127.0.0.1" if name == host else name, *args, **options)

    return getaddrinfo


def self_signed(folder: Path, *names: str) -> tuple[ssl.SSLContext, str]:
    """Return a server's TLS context for 127.0.0.1 and these host names, and the certificate that a client has to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "private cloud")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), *(x509.DNSName(name) for name in names)]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "server.pem").write_bytes(
        pem
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context, pem.decode()
