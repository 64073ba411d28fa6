"""Device management: tags, remote configuration, upgrades, logs and the shadow (docs/protocol.md §12)."""

import base64
from datetime import UTC, datetime
import hashlib
import json
from typing import Any

import pytest

from custom_components.aliyun_iot.alink.cloud_log import LogLevel, LogLine, LogMode, get_log_mode, post_logs
from custom_components.aliyun_iot.alink.errors import MessageError, NotConnected, Rejected, RequestTimeout
from custom_components.aliyun_iot.alink.features import Feature, Notice, feature_filters, read_notice
from custom_components.aliyun_iot.alink.link import Link
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from custom_components.aliyun_iot.alink.mqtt.transport import Delivery
from custom_components.aliyun_iot.alink.ota import UpgradeFailure, get_upgrade, report_progress, report_version
from custom_components.aliyun_iot.alink.remote_config import MAX_CONFIG, RemoteConfig, get_config, read_config
from custom_components.aliyun_iot.alink.shadow import Shadow, ShadowDocument
from custom_components.aliyun_iot.alink.subscriptions import SUBSCRIPTION_LIMIT, USER_TOPIC_LIMIT, filters_for
from custom_components.aliyun_iot.alink.tags import (
    MAX_VALUE,
    delete_tags,
    is_legal_key,
    legal_value,
    update_tags,
)
from custom_components.aliyun_iot.alink.topics import Topics, reply_topic
from simulator import CloudDevice, Simulator

from ..conftest import DEVICE_NAME, PRODUCT_KEY
from ..waiting import until
from .conftest import NewLink, call, sent

TOPICS = Topics(PRODUCT_KEY, DEVICE_NAME)
SHA256 = hashlib.sha256(b"{}").hexdigest()
CONFIG: dict[str, Any] = {
    "configId": "1",
    "configSize": 2,
    "sign": SHA256.upper(),
    "signMethod": "Sha256",
    "url": "https://files.example/config",
    "getType": "file",
}
UPGRADE: dict[str, Any] = {
    "size": 2,
    "version": "2",
    "url": "https://files.example/a",
    "sign": SHA256,
    "signMethod": "SHA256",
}


@pytest.fixture
def notices() -> list[Notice]:
    """Return what the cloud sends on its own."""
    return []


@pytest.fixture
async def link(new_link: NewLink, config: LinkConfig, device: CloudDevice, notices: list[Notice]) -> Link:
    """Return a link that is online and uses every feature."""
    link = new_link(config, on_notice=notices.append)
    await link.wait_online(30)
    await link.device.use(Feature)
    return link


async def test_a_feature_costs_nothing_before_it_is_used(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, config: LinkConfig
) -> None:
    """Its topics are subscribed to when it is used, over reconnects, and no longer."""
    link = new_link(config)
    await link.wait_online(30)
    filters = {one for feature in Feature for one in feature_filters(TOPICS, feature)}
    assert filters.isdisjoint(link.device.filters)
    await link.device.use([Feature.SHADOW])
    assert filters & set(link.device.filters) == {TOPICS.shadow_get}
    device.connection.close("the cloud has other plans")
    await until(lambda: device.connections == 2 and TOPICS.shadow_get in device.connection.subscriptions)
    await link.device.use([])  # while the new connection is being made, this takes effect when it is
    await until(lambda: TOPICS.shadow_get not in device.connection.subscriptions)


def test_everything_in_use_fits_into_the_subscriptions_of_a_device() -> None:
    """The services of the thing model get what is left."""
    topics = [f"topic_{number}" for number in range(USER_TOPIC_LIMIT)]
    services = [f"Service{number}" for number in range(100)]
    filters = filters_for(TOPICS, services, topics, Feature)
    assert len(filters) == SUBSCRIPTION_LIMIT
    assert TOPICS.service("Service0") in filters


async def test_tags(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """Tags are added, replaced and deleted; those of others stay."""
    device.tags["room"] = "attic"
    await update_tags(link.device, {"ha_area": "hall", "ha_model": "T1"})
    await update_tags(link.device, {"ha_area": "客厅"})
    assert device.tags == {"room": "attic", "ha_area": "客厅", "ha_model": "T1"}
    await delete_tags(link.device, ["ha_area", "ha_nothing"])
    assert device.tags == {"room": "attic", "ha_model": "T1"}
    await update_tags(link.device, {f"ha_{number}": "x" for number in range(250)})
    assert len(sent(cloud, TOPICS.tags_update)) == 4
    await update_tags(link.device, {})
    assert len(sent(cloud, TOPICS.tags_update)) == 4
    with pytest.raises(Rejected) as refused:
        await update_tags(link.device, {"not legal": "x"})
    assert refused.value.code == 460


@pytest.mark.parametrize(
    ("text", "legal"),
    [
        ("客厅", "客厅"),
        ("Living room", "Living_room"),
        ("  1.2.3-beta_4 ", "1.2.3-beta_4"),
        ("Küche (EG)", "K_che_EG"),
        ("🏠", ""),
        ("a" * 200, "a" * MAX_VALUE),
    ],
)
def test_values_of_tags_are_made_legal(text: str, legal: str) -> None:
    """The platform takes Chinese, letters, digits, `_`, `-` and `.`."""
    assert legal_value(text) == legal


def test_keys_of_tags() -> None:
    """They are like identifiers."""
    assert [key for key in ("ha_area", "_a", "1a", "a-b", "a" * 65, "") if is_legal_key(key)] == ["ha_area", "_a"]


async def test_remote_configuration(cloud: Simulator, device: CloudDevice, link: Link, notices: list[Notice]) -> None:
    """It is asked for, and pushed: then the device acknowledges it."""
    with pytest.raises(Rejected) as refused:
        await get_config(link.device)
    assert refused.value.code == 6710
    await call(cloud, "SetThingConfig", ConfigContent=json.dumps({"interval": 60}))
    asked = await get_config(link.device)
    content = b'{"interval":60}'
    assert (asked.file.size, asked.file.digest) == (len(content), hashlib.sha256(content).hexdigest())
    assert asked.file.url not in repr(asked)

    await call(cloud, "PushThingConfig", ConfigContent=json.dumps({"interval": 30}))
    await until(lambda: notices and device.notifications[-1].replies)
    [pushed] = notices
    assert isinstance(pushed, RemoteConfig)
    assert pushed.id != asked.id
    assert device.notifications[-1].replies[0].code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"url": ""},
        {"url": "https://" + "a" * 3000},
        {"url": 5},
        {"configSize": "many"},
        {"configSize": MAX_CONFIG + 1},
        {"configSize": -1},
        {"sign": "abc"},
        {"sign": "g" * 64},
        {"sign": None},
        {"signMethod": "crc"},
        {"signMethod": "Md5", "sign": "0" * 32},
    ],
)
def test_configuration_that_cannot_be_downloaded_safely(change: dict[str, Any]) -> None:
    """Address, size and SHA-256 are needed."""
    assert read_config(CONFIG).file.digest == SHA256
    with pytest.raises(MessageError):
        read_config(CONFIG | change)


async def test_second_delivery(cloud: Simulator, link: Link, notices: list[Notice]) -> None:
    """A push that is delivered again is acknowledged again and has no other effect."""
    payload = json.dumps({"id": "7", "params": CONFIG}).encode()
    for again in (False, True):
        link.device.received(Delivery(TOPICS.config_push, payload, again))
    await until(lambda: len(sent(cloud, reply_topic(TOPICS.config_push))) == 2)
    assert len(notices) == 1
    link.device.received(Delivery(TOPICS.config_push, payload, again=False))
    assert len(notices) == 2


@pytest.mark.parametrize("payload", [b"", b"[]", b'{"id":"1"}', b'{"id":"1","params":[]}', b"\xff"])
@pytest.mark.parametrize("topic", [TOPICS.config_push, TOPICS.log_config_push, TOPICS.upgrade])
def test_unreadable_notices(topic: str, payload: bytes) -> None:
    """Each is an error, and nothing else."""
    with pytest.raises(MessageError):
        read_notice(TOPICS, topic, payload)


def test_other_topics_are_no_notices() -> None:
    """They are commands or replies."""
    assert read_notice(TOPICS, TOPICS.property_set, b"{}") is None


async def test_upgrade(cloud: Simulator, device: CloudDevice, link: Link, notices: list[Notice]) -> None:
    """It is offered and asked for; its progress and the version afterwards are reported."""
    await report_version(link.device, "homeassistant", "2026.10.4")
    await device.wait_for(lambda one: one.firmware == {"homeassistant": "2026.10.4"})
    assert await get_upgrade(link.device, "homeassistant") is None
    created = await call(
        cloud,
        "CreateOTAFirmware",
        FirmwareName="next",
        DestVersion="2026.11.0",
        ModuleName="homeassistant",
        SignMethod="SHA256",
        FirmwareContent=base64.b64encode(b"content").decode(),
    )
    job = await call(
        cloud,
        "CreateOTAStaticUpgradeJob",
        FirmwareId=created["Data"]["FirmwareId"],
        TargetSelection="SPECIFIC",
        **{"TargetDeviceName.1": DEVICE_NAME},
    )
    await until(lambda: notices)
    [offered] = notices
    assert offered == await get_upgrade(link.device, "homeassistant")
    assert (offered.module, offered.version, offered.file.size) == ("homeassistant", "2026.11.0", 7)

    async def status() -> tuple[str, str, str]:
        tasks = await call(cloud, "ListOTATaskByJob", JobId=job["Data"]["JobId"], CurrentPage=1, PageSize=1)
        [task] = tasks["Data"]["SimpleOTATaskInfo"]
        return task["TaskStatus"], task["Progress"], task["TaskDesc"]

    await report_progress(link.device, "homeassistant", 50, "half")
    await until(lambda: sent(cloud, TOPICS.upgrade_progress))
    assert await status() == ("IN_PROGRESS", "50", "half")
    await report_progress(link.device, "homeassistant", UpgradeFailure.VERIFICATION)
    await until(lambda: len(sent(cloud, TOPICS.upgrade_progress)) == 2)
    assert (await status())[0] == "FAILED"


@pytest.mark.parametrize(
    "change", [{"version": ""}, {"version": 3}, {"module": "\n"}, {"module": "m" * 65}, {"size": None}, {"sign": ""}]
)
def test_invalid_upgrades(change: dict[str, Any]) -> None:
    """A version, a module, a size and a digest are needed."""

    def offer(data: dict[str, Any]) -> bytes:
        return json.dumps({"code": "1000", "id": "1", "data": data}).encode()

    notice, answer_to = read_notice(TOPICS, TOPICS.upgrade, offer(UPGRADE))
    assert (notice.module, answer_to) == ("default", None)
    with pytest.raises(MessageError):
        read_notice(TOPICS, TOPICS.upgrade, offer(UPGRADE | change))


async def test_logs(cloud: Simulator, device: CloudDevice, link: Link, notices: list[Notice]) -> None:
    """Lines are kept by the cloud once it has asked for them."""
    assert await get_log_mode(link.device) == LogMode(wanted=False)
    await call(cloud, "SetDeviceLogConfig", Mode=1)
    await until(lambda: notices)
    assert notices == [LogMode(wanted=True)]
    assert await get_log_mode(link.device) == LogMode(wanted=True)
    at = datetime(2026, 11, 30, 8, 15, 27, 464_000, tzinfo=UTC)
    await post_logs(link.device, [LogLine(at, LogLevel.WARN, "link", "lost")])
    assert device.logs == [
        {
            "utcTime": "2026-11-30T08:15:27.464+0000",
            "logLevel": "WARN",
            "module": "link",
            "code": "0",
            "logContent": "lost",
        }
    ]
    with pytest.raises(Rejected):
        await post_logs(link.device, [])


async def desire(cloud: Simulator, desired: Any, version: int = 0) -> None:
    """Change the shadow as an application does."""
    message = {"method": "update", "state": {"desired": desired}, "version": version}
    assert (await call(cloud, "UpdateDeviceShadow", ShadowMessage=json.dumps(message), DeltaUpdate=True))["Success"]


async def test_shadow(cloud: Simulator, device: CloudDevice, link: Link, notices: list[Notice]) -> None:
    """It is read, changed and emptied; a change by an application arrives."""
    shadow = link.device.shadow
    assert await shadow.get() == ShadowDocument({}, {}, 0)
    assert await shadow.update({"mode": "away", "window": {"left": 1, "right": 0}}) == 1
    assert await shadow.update({"window": {"right": None}}) == 2
    assert await shadow.get() == ShadowDocument({"mode": "away", "window": {"left": 1}}, {}, 2)

    await desire(cloud, {"mode": "home"})
    await until(lambda: notices)
    assert notices == [ShadowDocument({"mode": "away", "window": {"left": 1}}, {"mode": "home"}, 3)]
    assert await shadow.update({}, clear_desired=True) == 4
    assert (await shadow.get()).desired == {}
    assert await shadow.delete(["mode"], version=10) == 10
    assert await shadow.delete(None) == 11
    assert await shadow.get() == ShadowDocument({}, {}, 11)


async def test_version_of_the_shadow(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that was given is not changed; otherwise a change is tried again when an application was quicker."""
    shadow = link.device.shadow
    with pytest.raises(Rejected) as refused:
        await shadow.update({"a": 1}, version=0)
    assert refused.value.code == 409
    get = Shadow._get
    stale = iter([ShadowDocument({}, {}, -1)])

    async def slow(shadow: Shadow) -> ShadowDocument:
        return next(stale, None) or await get(shadow)

    monkeypatch.setattr(Shadow, "_get", slow)
    assert await shadow.update({"a": 1}) == 1


@pytest.mark.parametrize(
    "state",
    [
        {},
        {str(number): 1 for number in range(129)},
        {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}},
        {"a": "x" * 17_000},
        {"a": float("nan")},
    ],
    ids=["nothing", "attributes", "levels", "bytes", "no JSON"],
)
async def test_shadow_that_is_not_sent(cloud: Simulator, link: Link, state: dict[str, Any]) -> None:
    """What the platform would refuse is not sent."""
    with pytest.raises(MessageError):
        await link.device.shadow.update(state, version=1)
    assert not sent(cloud, TOPICS.shadow_update)


async def test_host_without_shadow(cloud: Simulator, link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not answer; unreadable and unexpected messages are ignored."""
    cloud.faults.ignore_topics.add(TOPICS.shadow_update)
    monkeypatch.setattr("custom_components.aliyun_iot.alink.shadow.REPLY_TIMEOUT", 0.05)
    with pytest.raises(RequestTimeout):
        await link.device.shadow.get()
    for payload in (b"", b"{}", b'{"method":"control"}', b'{"method":"reply","payload":{"status":"success"}}'):
        link.device.shadow.received(payload)
    await link.stop()
    with pytest.raises(NotConnected):
        await link.device.shadow.get()
