"""The remote configuration as a trigger and as an action; nothing is used that was not announced."""

from collections.abc import AsyncGenerator, Awaitable, Callable
import hashlib
import json
from typing import Any

from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.aliyun_iot.alink.mqtt.endpoint import Endpoint
from custom_components.aliyun_iot.alink.privacy import BY_NAME_ALONE
from custom_components.aliyun_iot.alink.remote_file import RemoteFile
from custom_components.aliyun_iot.alink.traffic import WireMessage
from custom_components.aliyun_iot.management import fetching
from custom_components.aliyun_iot.management.fetching import FetchFailed, WrongContent, fetch_bytes
from custom_components.aliyun_iot.panel.wire import shown_message
from simulator import CloudDevice, Simulator

from .automations import ENTRY_ID, automate, trigger, trigger_data
from .conftest import PRODUCT_KEY, SetUp
from .test_actions import act
from .waiting import until

type Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def push(cloud: Simulator, content: object) -> None:
    """Push a configuration to all devices of the product."""
    assert (await cloud.call("PushThingConfig", ProductKey=PRODUCT_KEY, ConfigContent=json.dumps(content)))["Success"]


async def test_pushed_configuration(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """It triggers with its content, once, and only while an automation listens the device is subscribed to it."""
    entry = await set_up(entry_id=ENTRY_ID)
    topic = entry.runtime_data.link.device.topics.config_push
    assert topic not in device.connection.subscriptions
    calls = await automate(hass, [trigger("config_received")])
    await until(lambda: topic in device.connection.subscriptions)
    await push(cloud, {"interval": 60, "names": ["客厅"]})
    await until(lambda: calls)
    [call] = calls
    config_id = device.product.config.id
    assert trigger_data(call) == {
        "config_entry_id": ENTRY_ID,
        "device": "gw-1",
        "config_id": config_id,
        "content": {"interval": 60, "names": ["客厅"]},
    }
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)
    await until(lambda: topic not in device.connection.subscriptions)


@pytest.mark.parametrize(
    "setting",
    [
        {"dry_run": True},
        {"command_condition": [{"condition": "state", "entity_id": "sun.sun", "state": "away"}]},
    ],
    ids=lambda setting: next(iter(setting)),
)
async def test_configuration_is_a_command(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, setting: dict[str, Any]
) -> None:
    """What forbids all commands forbids it and changes of the shadow as well."""
    hass.states.async_set("sun.sun", "up")
    calls = await automate(hass, [trigger("config_received"), trigger("shadow_changed")])
    entry = await set_up(entry_id=ENTRY_ID, options=setting)
    admitted: list[bool] = []
    management = entry.runtime_data.device.management
    lets_trigger = management._lets_trigger
    management._lets_trigger = lambda: admitted.append(lets_trigger()) or admitted[-1]
    await push(cloud, {"interval": 60})
    message = {"method": "update", "state": {"desired": {"mode": "home"}}, "version": 0}
    await cloud.call(
        "UpdateDeviceShadow",
        ProductKey=device.product_key,
        DeviceName=device.device_name,
        ShadowMessage=json.dumps(message),
    )
    await until(lambda: len(admitted) == 2)
    await hass.async_block_till_done()
    assert (admitted, calls) == ([False, False], [])


async def test_unusable_configuration(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One that is no JSON object is not used, nor is one that can't be downloaded any more."""
    calls = await automate(hass, [trigger("config_received")])
    await set_up(entry_id=ENTRY_ID)
    await push(cloud, [1, 2])
    await until(lambda: "The remote configuration of gw-1 is not used: the message is not a JSON object" in caplog.text)
    cloud._platform.files.base = "http://127.0.0.1:9"
    await push(cloud, {"interval": 60})
    await until(lambda: "not used: the file cannot be downloaded" in caplog.text)
    assert "127.0.0.1:9" not in caplog.text
    assert not calls


def test_key_of_the_download_is_not_shown() -> None:
    """The page of the wire shows the address without it."""
    url = "https://files.example/config?Expires=1&Signature=abcdef"
    message = WireMessage(
        0.0, "/sys/pk/dn/thing/config/push", json.dumps({"id": "1", "params": {"url": url}}).encode(), up=False
    )
    text = shown_message(message, BY_NAME_ALONE, "")["text"]
    assert "abcdef" not in text
    assert "files.example/config?Expires=1" in text


async def test_action(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """It returns the present configuration, or the reason of the cloud."""
    entry = await set_up()
    with pytest.raises(HomeAssistantError, match="6710"):
        await act(hass, "get_config", entry.entry_id)
    await cloud.call("SetThingConfig", ProductKey=PRODUCT_KEY, ConfigContent=json.dumps({"interval": 60}))
    response = await act(hass, "get_config", entry.entry_id)
    assert response == {"config_id": device.product.config.id, "content": {"interval": 60}}
    cloud._platform.files.base = "http://127.0.0.1:9"
    with pytest.raises(HomeAssistantError, match="was not downloaded"):
        await act(hass, "get_config", entry.entry_id)


OWN = Endpoint("127.0.0.1", 1883)


@pytest.fixture
async def serve(socket_enabled: None) -> AsyncGenerator[Callable[[Answer], Awaitable[str]]]:
    """Return a function that serves an answer and returns its address."""
    runners: list[web.AppRunner] = []

    async def run(answer: Answer) -> str:
        app = web.Application()
        app.router.add_get("/file", answer)
        runner = web.AppRunner(app)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/file"

    yield run
    for runner in runners:
        await runner.cleanup()


def file_at(url: str, content: bytes = b"{}") -> RemoteFile:
    """Return the description of a file."""
    return RemoteFile(url, len(content), hashlib.sha256(content).hexdigest(), "sha256")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda: web.Response(status=404), FetchFailed),
        (lambda: web.Response(status=302, headers={"Location": "https://example.com/"}), FetchFailed),
        (lambda: web.Response(body=b"{}", headers={"Content-Encoding": "gzip"}), FetchFailed),
        (lambda: web.Response(body=b"{"), WrongContent),
        (lambda: web.Response(body=b"{" * 100_000), WrongContent),
        (lambda: web.Response(body=b"[]"), WrongContent),
    ],
    ids=["missing", "redirect", "compressed", "short", "long", "other"],
)
async def test_unexpected_answers(
    hass: HomeAssistant,
    serve: Callable[[Answer], Awaitable[str]],
    answer: Callable[[], web.Response],
    error: type[Exception],
) -> None:
    """Only the file that was announced is taken."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return answer()

    with pytest.raises(FetchFailed) as raised:
        await fetch_bytes(hass, file_at(await serve(handle)), OWN, 5)
    assert type(raised.value) is error


async def test_silent_server(hass: HomeAssistant, serve: Callable[[Answer], Awaitable[str]]) -> None:
    """A download takes no longer than it may."""
    released: list[bool] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        await until(lambda: released)
        return web.Response(body=b"{}")

    url = await serve(handle)
    with pytest.raises(FetchFailed, match="in time"):
        await fetch_bytes(hass, file_at(url), OWN, 0.05)
    released.append(True)


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://files.example/a", OWN),
        ("ftp://files.example/a", OWN),
        ("https://192.168.1.1/a", OWN),
        ("https://[fd00::1]/a", OWN),
        ("https://router/a", OWN),
        ("https://printer.local/a", OWN),
        ("http://localhost/a", OWN),
        ("http://192.168.1.5/a", Endpoint("192.168.1.5", 1883)),
        ("http://127.0.0.1/a", Endpoint("iot.example", 1883)),
        ("https://user:password@files.example/a", OWN),
        ("https:///a", OWN),
        ("nonsense", OWN),
    ],
)
async def test_addresses_that_are_not_asked(
    hass: HomeAssistant, url: str, own: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither without TLS nor within the house, unless the device itself is connected to that host."""
    monkeypatch.delattr(fetching, "async_get_clientsession")
    with pytest.raises(FetchFailed):
        await fetch_bytes(hass, file_at(url), own, 1)
    assert fetching._checked("https://192.168.1.5/a", "192.168.1.5").host == "192.168.1.5"
    assert fetching._checked("https://files.example/a", "192.168.1.5").scheme == "https"
