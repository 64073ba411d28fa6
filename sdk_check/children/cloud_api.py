"""The API of a simulator, called as an application does, without a signature."""

from __future__ import annotations

import base64
from collections.abc import Callable
import json
import time
from typing import Any
import urllib.parse
import urllib.request

TIMEOUT = 10.0


class CloudApi:
    """Calls actions for one device."""

    def __init__(self, url: str, product_key: str, device_name: str) -> None:
        """Use the API at this address."""
        self._url = url
        self._device = {"ProductKey": product_key, "DeviceName": device_name}

    def call(self, action: str, **fields: str) -> Any:
        """Run an action and return its answer; raise AssertionError if it fails."""
        answer = self._post("", urllib.parse.urlencode({"Action": action} | self._device | fields).encode())
        if not answer["Success"]:
            raise AssertionError(f"{action}: {answer['Code']} {answer['ErrorMessage']}")
        return answer

    def publish(self, topic: str, payload: bytes, **fields: str) -> None:
        """Publish to the device."""
        self.call("Pub", TopicFullName=topic, MessageContent=base64.b64encode(payload).decode(), **fields)

    def inject(self, **faults: object) -> None:
        """Set fault switches."""
        self._post("faults", json.dumps(faults).encode())

    def wire(self) -> Any:
        """Return the transcript."""
        return _open(f"{self._url}wire")

    def notes(self, device: str) -> list[str]:
        """Return the notes about a device in the transcript."""
        return [
            message["note"] for message in self.wire() if message["device"].startswith(device) and "note" in message
        ]

    def status(self) -> str:
        """Return the status of the device."""
        return str(self.call("GetDeviceStatus")["Data"]["Status"])

    def outcome(self, identifier: str) -> Any:
        """Return the outcome of the newest command with this identifier, once the device has answered."""

        def answered() -> Any:
            rows = self.call("QueryDeviceServiceData", Identifier=identifier, PageSize="1")["Data"]["List"][
                "ServiceInfo"
            ]
            return rows[0]["OutputData"] if rows else ""

        return json.loads(wait_until(answered))

    def _post(self, path: str, body: bytes) -> Any:
        return _open(self._url + path, body)


def _open(url: str, body: bytes | None = None) -> Any:
    with urllib.request.urlopen(url, body, timeout=TIMEOUT) as response:  # noqa: S310 - a simulator on loopback
        return json.load(response)


def wait_until(condition: Callable[[], Any]) -> Any:
    """Return the first result that is true; raise TimeoutError."""
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until:
        if result := condition():
            return result
        time.sleep(0.05)
    raise TimeoutError("it did not happen")
