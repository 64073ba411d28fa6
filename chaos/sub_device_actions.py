"""What can be done to the sub-devices of a gateway in the cloud: by the platform, in the console, and by another gateway."""

from collections.abc import Mapping
import contextlib
import json

from custom_components.aliyun_iot.alink.auth import DeviceTriple, Identity, SignMethod, sub_device_entry
from custom_components.aliyun_iot.alink.messages import JsonValue
from simulator import CloudDevice, Simulator

CONNECTED_ELSEWHERE, NO_SESSION = 427, 520
"""Codes with which a gateway is told that a sub-device has gone offline (docs/protocol.md §10.3)."""

WRONG_SECRET = "0" * 32


class SubDeviceActions:
    """The actions; those on a sub-device that is deleted do nothing."""

    def __init__(self, cloud: Simulator, gateway: CloudDevice, secrets: Mapping[Identity, str]) -> None:
        """Create another gateway in the cloud, which has this one and the sub-devices with these secrets."""
        self._cloud = cloud
        self._gateway = gateway
        self._secrets = secrets
        self._thief = cloud.add_device(gateway.product_key, "thief", WRONG_SECRET)

    def find(self, identity: Identity) -> CloudDevice | None:
        """Return a sub-device as the cloud knows it, None while it is deleted."""
        with contextlib.suppress(KeyError):
            return self._cloud.device(*identity)
        return None

    def end_session(self, identity: Identity, code: int) -> None:
        """Log it out, and say so with a code; with 0 the gateway learns it when it sends something."""
        if (device := self.find(identity)) and device.connection:
            device.connection.close("chaos", code=code)

    def cut(self) -> None:
        """Lose the connection of the gateway, if there is one."""
        if self._gateway.connection:
            self._gateway.connection.line.close("chaos", lost=True)

    async def disable(self, identity: Identity) -> None:
        """Disable it in the console."""
        await self._call("DisableThing", identity)

    async def enable(self, identity: Identity) -> None:
        """Enable it in the console."""
        await self._call("EnableThing", identity)

    async def remove(self, identity: Identity) -> None:
        """Remove it from the topology."""
        if (device := self.find(identity)) and device.gateway:
            await self._call("RemoveThingTopo", identity)

    async def ask_to_add(self, identity: Identity) -> None:
        """Ask the gateway to add it to the topology."""
        if self.find(identity):
            listed = [{"productKey": identity.product_key, "deviceName": identity.device_name}]
            await self._call_for(self._gateway, "NotifyAddThingTopo", DeviceListStr=json.dumps(listed))

    async def delete(self, identity: Identity) -> None:
        """Delete it in the console."""
        await self._call("DeleteDevice", identity)

    async def create(self, identity: Identity) -> None:
        """Create it again, if it is deleted."""
        if self.find(identity) is None:
            self._cloud.add_device(*identity, self._secrets[identity])

    async def steal(self, identity: Identity) -> None:
        """Have another gateway take it and log it in."""
        await self._bind(self._thief, identity)
        self.end_session(identity, CONNECTED_ELSEWHERE)

    async def give_back(self, identity: Identity) -> None:
        """Put it into the topology of the gateway."""
        await self._bind(self._gateway, identity)

    async def spoil_secret(self, identity: Identity) -> None:
        """Change its secret in the cloud."""
        if device := self.find(identity):
            device.device_secret = WRONG_SECRET

    async def mend_secret(self, identity: Identity) -> None:
        """Change its secret back."""
        if device := self.find(identity):
            device.device_secret = self._secrets[identity]

    async def _bind(self, gateway: CloudDevice, identity: Identity) -> None:
        if device := self.find(identity):
            triple = DeviceTriple(*identity, device.device_secret)
            entry = sub_device_entry(triple, identity.device_name, "1", SignMethod.HMACSHA256, "signMethod")
            item: JsonValue = {key[0].upper() + key[1:]: value for key, value in entry.items()}
            await self._call_for(gateway, "BatchAddThingTopo", TopoAddItem=[item])

    async def _call_for(self, gateway: CloudDevice, action: str, **fields: JsonValue) -> None:
        names = {"GwProductKey": gateway.product_key, "GwDeviceName": gateway.device_name}
        _check(await self._cloud.call(action, **names, **fields))

    async def _call(self, action: str, identity: Identity) -> None:
        if self.find(identity):
            names = {"ProductKey": identity.product_key, "DeviceName": identity.device_name}
            _check(await self._cloud.call(action, **names))


def _check(answer: Mapping[str, JsonValue]) -> None:
    if not answer["Success"]:
        raise ValueError(answer)
