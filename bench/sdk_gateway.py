"""A gateway that uses the vendor's Python SDK, with the batches and the second login that the SDK lacks.

It runs in the SDK's environment (see `sdk.py`): `sdk_gateway.py COUNT PORT SECRET`. It answers every line of its stdin with its
cost, as `gateway_house.py` does.
"""

import json
import os
from pathlib import Path
import queue
import resource
import sys
import threading
import time

# Only available in the environment of the SDK.
from linkkit import linkkit  # type: ignore[import-not-found]

GATEWAY_KEY, GATEWAY_NAME, SUB_KEY, VALUES = "a1GwBench01", "gateway", "a1SubBench1", 3
TOPOLOGY_BATCH, LOGIN_BATCH = 30, 50
LOGINS_PER_SECOND, MESSAGES_PER_SECOND = 150.0, 9.0
"""The platform silently drops more."""


class Gateway:
    """Adds and logs in batch after batch, and posts the values of each sub-device."""

    def __init__(self, count: int, port: int, secret: str) -> None:
        """Prepare the SDK for plain TCP."""
        self._subs = [[SUB_KEY, f"sub-{number}", secret] for number in range(count)]
        self._connected: queue.Queue[None] = queue.Queue()
        self._replies: queue.Queue[int] = queue.Queue()
        self.kit = linkkit.LinkKit(
            host_name="127.0.0.1", product_key=GATEWAY_KEY, device_name=GATEWAY_NAME, device_secret=secret
        )
        self.kit.config_mqtt(port=port, secure="")
        self.kit.on_connect = lambda *_: self._connected.put(None)
        self.kit.on_gateway_add_subdev_topo_reply = lambda _id, code, *_: self._replies.put(code)
        self.kit.on_gateway_login_subdev_reply = lambda _id, code, *_: self._replies.put(code)
        self.kit.on_topic_message = lambda *_: None
        self.kit.connect_async()
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        in_topology = False
        while True:
            self._connected.get()
            if not in_topology:
                self._in_batches(self.kit.gateway_add_subdev_topo, TOPOLOGY_BATCH, 1 / MESSAGES_PER_SECOND)
                in_topology = True
            self._in_batches(self.kit.gateway_login_subdev, LOGIN_BATCH, LOGIN_BATCH / LOGINS_PER_SECOND)
            for number, (key, name, _) in enumerate(self._subs):
                at = int(time.time() * 1000)
                params = {f"Value{value}": {"value": value, "time": at} for value in range(VALUES)}
                post = {
                    "id": str(number + 1),
                    "version": "1.0",
                    "params": params,
                    "method": "thing.event.property.post",
                }
                self.kit.publish_topic(f"/sys/{key}/{name}/thing/event/property/post", json.dumps(post), 0)

    def _in_batches(self, send, size: int, pause: float) -> None:  # type: ignore[no-untyped-def]
        for first in range(0, len(self._subs), size):
            while send(self._subs[first : first + size])[0] != 0:
                time.sleep(0.05)
            self._replies.get(timeout=10)
            time.sleep(pause)


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1024 / 1024


def main() -> None:
    """Run until stdin ends."""
    count, port, secret = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    resident, worked = _resident_mb(), time.process_time()
    Gateway(count, port, secret)
    for _ in sys.stdin:
        cost = {
            "resident_mb": _resident_mb() - resident,
            "processor_ms": (time.process_time() - worked) * 1000,
            "loop_block_ms": 0.0,
        }
        worked = time.process_time()
        sys.stdout.write(json.dumps(cost) + "\n")
        sys.stdout.flush()
    # Don't wait for the threads of the SDK.
    os._exit(0)


if __name__ == "__main__":
    main()
