"""A device that publishes every change at once, which shows the cost of MQTT itself, without Home Assistant.

    publisher.py sdk|paho|aiomqtt PORT PRODUCT_KEY DEVICE_NAME SECRET TSL_FILE COUNT

runs in an environment with the library, possibly with an older Python, and therefore imports nothing of this project. After
`{"ready": true}` it answers each line `[rate, seconds, first]` with `{"processor": seconds, "changed_at": [milliseconds, …],
"kept": n}`, where `kept` is the number of changes that the library accepted.
"""

import asyncio
from collections.abc import Callable, Iterator
import hashlib
import hmac
import json
import sys
import time
from typing import Any

TICK = 0.005


def main() -> None:
    """Connect and answer the lines on stdin."""
    kind, port, product_key, device_name, secret, tsl, count = sys.argv[1:]
    triple = (product_key, device_name, secret)
    if kind == "aiomqtt":
        asyncio.run(publish_with_aiomqtt(int(port), triple, int(count)))
        return
    publish = sdk_publisher(int(port), triple, tsl) if kind == "sdk" else paho_publisher(int(port), triple)
    say({"ready": True})
    for line in sys.stdin:
        rate, seconds, first = json.loads(line)
        worked, changed_at, kept = time.process_time(), [], 0
        for number in paced(rate, seconds, first):
            changed_at.append(time.time_ns() // 1_000_000)
            kept += publish(identifier(number, int(count)), number)
        say({"processor": time.process_time() - worked, "changed_at": changed_at, "kept": kept})


def identifier(number: int, count: int) -> str:
    """Return the property of a change: the properties take turns, as in `sensors.py`."""
    return f"Power_{number % count}"


def paced(rate: float, seconds: float, first: int) -> Iterator[int]:
    """Yield the number of each change when it is due."""
    began = time.monotonic()
    for number in range(round(rate * seconds)):
        yield first + number
        wait = began + (number + 1) / rate - time.monotonic()
        if wait > 0:
            time.sleep(max(wait, TICK))


def sdk_publisher(port: int, triple: tuple[str, str, str], tsl: str) -> Callable[[str, int], bool]:
    """Use the vendor's SDK as its manual says, over plain TCP."""
    from linkkit import linkkit  # type: ignore[import-not-found] # noqa: PLC0415 - only in the environment of the SDK

    product_key, device_name, secret = triple
    kit = linkkit.LinkKit(host_name="127.0.0.1", product_key=product_key, device_name=device_name, device_secret=secret)
    kit.config_mqtt(port=port, secure="")
    kit.thing_setup(tsl)
    kit.connect_async()
    while (
        kit.thing_post_property({identifier(0, 1): 0})[0] != 0
    ):  # it accepts posts a moment after it reports "connected"
        time.sleep(0.01)
    return lambda name, value: bool(kit.thing_post_property({name: value})[0] == 0)


def paho_publisher(port: int, triple: tuple[str, str, str]) -> Callable[[str, int], bool]:
    """Use paho-mqtt 2 with its thread."""
    from paho.mqtt import client as mqtt, enums  # noqa: PLC0415 - not in the environment of the SDK

    user_name, password, client_id = credentials(*triple)
    client = mqtt.Client(enums.CallbackAPIVersion.VERSION2, client_id=client_id)
    client.username_pw_set(user_name, password)
    client.connect("127.0.0.1", port)
    client.loop_start()
    while not client.is_connected():
        time.sleep(0.01)
    # Without a connection, a message is queued in memory.
    taken = (enums.MQTTErrorCode.MQTT_ERR_SUCCESS, enums.MQTTErrorCode.MQTT_ERR_NO_CONN)
    return lambda name, value: client.publish(topic_of(*triple), post(name, value), qos=1).rc in taken


async def publish_with_aiomqtt(port: int, triple: tuple[str, str, str], count: int) -> None:
    """Use aiomqtt on the event loop, and answer the lines on stdin."""
    import aiomqtt  # type: ignore[import-not-found] # noqa: PLC0415 - only in an environment of its own

    user_name, password, client_id = credentials(*triple)
    client = aiomqtt.Client("127.0.0.1", port, username=user_name, password=password, identifier=client_id)
    async with client:
        say({"ready": True})
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            rate, seconds, first = json.loads(line)
            worked, began, changed_at = time.process_time(), loop.time(), []
            for number in range(round(rate * seconds)):
                changed_at.append(time.time_ns() // 1_000_000)
                name = identifier(first + number, count)
                await client.publish(topic_of(*triple), post(name, first + number), qos=1)
                wait = began + (number + 1) / rate - loop.time()
                if wait > 0:
                    await asyncio.sleep(max(wait, TICK))
            say({"processor": time.process_time() - worked, "changed_at": changed_at, "kept": len(changed_at)})


def topic_of(product_key: str, device_name: str, _secret: str) -> str:
    """Return the topic of a property post."""
    return f"/sys/{product_key}/{device_name}/thing/event/property/post"


def post(name: str, value: int) -> str:
    """Return a property post with one value."""
    message = {"id": str(value), "version": "1.0", "method": "thing.event.property.post", "params": {name: value}}
    return json.dumps(message)


def credentials(product_key: str, device_name: str, secret: str) -> tuple[str, str, str]:
    """Return user name, password and client id (docs/protocol.md §2)."""
    signed = f"clientId{device_name}deviceName{device_name}productKey{product_key}"
    password = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    return f"{device_name}&{product_key}", password, f"{device_name}|securemode=3,signmethod=hmacsha256|"


def say(answer: dict[str, Any]) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
