"""Registration of sub-devices by a gateway (docs/protocol.md §10.2)."""

from typing import Any

import pytest

from simulator import CloudDevice, SecretKind, SecretOf, Simulator

from .conftest import KEY, NAME
from .gateway_client import SUB_KEY, SUB_SECRET, Gateway, keys, named, proxied

LAMPS = [(SUB_KEY, f"lamp-{number}") for number in range(3)]
REGISTER = "thing/sub/register"
BY_PRODUCT = "thing/proxy/provisioning/product_register"


@pytest.fixture(autouse=True)
async def products(cloud: Simulator, lamps: list[CloudDevice], hub: Gateway, other_hub: Gateway) -> None:
    """Products that can not be registered, and a lamp of another gateway."""
    cloud.add_product("a1Closed001")
    cloud.add_device("a1Closed001", "lamp-0", SUB_SECRET)
    cloud.add_product("a1Lora00001", network="LORA", dynamic_registration=True)
    cloud.add_device("a1Lora00001", "lamp-0", SUB_SECRET)
    await other_hub.add(LAMPS[2])


async def test_registered_device_gets_a_new_secret_each_time(
    hub: Gateway, cloud: Simulator, lamps: list[CloudDevice]
) -> None:
    """With which it is added to the topology; the transcript does not have it."""
    secrets = []
    for _ in range(2):
        reply = await hub.ask(REGISTER, [named(LAMPS[0]), named(LAMPS[1])])
        assert (reply["code"], keys(reply["data"])) == (200, LAMPS[:2])
        assert [entry["iotId"] for entry in reply["data"]] == [lamps[0].iot_id, lamps[1].iot_id]
        secrets.append(reply["data"][0]["deviceSecret"])
    assert len({SUB_SECRET, *secrets}) == 3
    assert all(len(secret) == 32 for secret in secrets)
    assert not [secret for secret in secrets if secret in repr(list(cloud.wire))]
    owner = SecretOf(SecretKind.DEVICE, "/".join(LAMPS[0]))
    assert [cloud.secrets[secret] for secret in (SUB_SECRET, *secrets)][1:] == [owner, owner]
    kinds = {secret.kind for secret in cloud.secrets.values()}
    assert kinds == {SecretKind.DEVICE, SecretKind.PRODUCT, SecretKind.SIGNATURE}
    assert (await hub.add(LAMPS[0]))["code"] == 401
    assert (await hub.add(LAMPS[0], secret=secrets[0]))["code"] == 401
    assert (await hub.add(LAMPS[0], secret=secrets[1]))["code"] == 200


@pytest.mark.parametrize(
    ("key", "code"),
    [
        pytest.param(("", "lamp-0"), 460, id="no product"),
        pytest.param(("a1Nothing01", "lamp-0"), 5005, id="unknown product"),
        pytest.param(("a1Lora00001", "lamp-0"), 5244, id="LoRaWAN"),
        pytest.param((SUB_KEY, "lamp-9"), 6100, id="unknown device"),
        pytest.param(("a1Closed001", "lamp-0"), 6288, id="switched off"),
        pytest.param(LAMPS[2], 6619, id="bound to another gateway"),
        pytest.param((KEY, NAME), 6402, id="itself"),
    ],
)
async def test_refused_registration_refuses_all(
    hub: Gateway, lamps: list[CloudDevice], key: tuple[str, str], code: int
) -> None:
    """The culprit is named, and no secret changes."""
    reply = await hub.ask(REGISTER, [named(LAMPS[0]), named(key)])
    assert (reply["code"], keys(reply["data"])) == (code, [key])
    assert lamps[0].device_secret == SUB_SECRET


async def test_registration_with_the_secret_of_the_product(
    hub: Gateway, other_hub: Gateway, lamps: list[CloudDevice]
) -> None:
    """It also takes a device from another gateway, which is told."""
    await other_hub.log_in(LAMPS[2])
    reply = await hub.ask(BY_PRODUCT, {"proxieds": [proxied(LAMPS[0]), proxied(LAMPS[2])]})
    assert (reply["code"], reply["data"]["failures"]) == (200, [])
    successes = reply["data"]["successes"]
    assert keys(successes) == [LAMPS[0], LAMPS[2]]
    assert [entry["deviceSecret"] for entry in successes] == [lamps[0].device_secret, lamps[2].device_secret]
    assert (await other_hub.receive()).json["params"] == {"status": 1, "subList": [named(LAMPS[2])]}
    assert lamps[2].gateway is None
    assert not lamps[2].online


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        pytest.param(proxied(LAMPS[1], sign=""), 460, id="no signature"),
        pytest.param(proxied(LAMPS[1], random=1), 460, id="random is a number"),
        pytest.param(proxied(LAMPS[1], secret="wrong"), 401, id="another secret"),
        pytest.param(proxied(LAMPS[1], signMethod="sha256"), 6292, id="unknown method"),
        pytest.param(proxied((SUB_KEY, "lamp-9")), 6100, id="unknown device"),
        pytest.param(proxied(("a1Closed001", "lamp-0")), 6288, id="switched off"),
        pytest.param(proxied(("a1Nothing01", "lamp-0")), 5005, id="unknown product"),
    ],
)
async def test_each_device_succeeds_or_fails_for_itself(
    hub: Gateway, lamps: list[CloudDevice], entry: dict[str, Any], code: int
) -> None:
    """The failures have their codes."""
    reply = await hub.ask(BY_PRODUCT, {"proxieds": [proxied(LAMPS[0]), entry]})
    assert (reply["code"], keys(reply["data"]["successes"])) == (200, LAMPS[:1])
    assert [(failure["code"], failure["deviceName"]) for failure in reply["data"]["failures"]] == [
        (code, entry["deviceName"])
    ]
    assert lamps[1].device_secret == SUB_SECRET


@pytest.mark.parametrize("params", [{}, {"proxieds": []}, {"proxieds": [{}]}, {"proxieds": [{}] * 31}, []])
async def test_malformed_registration_with_the_secret_of_the_product(hub: Gateway, params: Any) -> None:
    """460 for the whole request."""
    assert (await hub.ask(BY_PRODUCT, params))["code"] == 460


async def test_unregistered_device_is_deleted(hub: Gateway, cloud: Simulator, gateway: CloudDevice) -> None:
    """Only of the gateway's own, all or none."""
    await hub.add(*LAMPS[:2])
    await hub.log_in(LAMPS[0])
    for key, code in (((SUB_KEY, "lamp-9"), 6100), (LAMPS[2], 6401)):
        reply = await hub.ask("thing/sub/unregister", [named(LAMPS[0]), named(key)])
        assert (reply["code"], keys(reply["data"])) == (code, [key])
    assert len(gateway.sub_devices) == 2
    reply = await hub.ask("thing/sub/unregister", [named(LAMPS[0])])
    assert (reply["code"], reply["data"]) == (200, {})
    assert list(gateway.sub_devices) == [LAMPS[1]]
    with pytest.raises(KeyError):
        cloud.device(*LAMPS[0])
