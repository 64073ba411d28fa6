"""Records of both sides: what happened in Home Assistant, what arrived at the cloud, and what was logged.

The records of the simulator are collected regularly and removed there, so that the measured memory is that of the integration.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
import json
import logging
import time
import traceback
from typing import Any
from unittest.mock import patch

from homeassistant.const import EVENT_CALL_SERVICE
from homeassistant.core import Event, HomeAssistant, callback

from custom_components.aliyun_iot.alink import gateway_requests
from custom_components.aliyun_iot.alink.auth import Credentials, DeviceTriple, connect_credentials, sub_device_entry
from custom_components.aliyun_iot.alink.command import Route
from custom_components.aliyun_iot.alink.downlink import Downlink
from custom_components.aliyun_iot.alink.mqtt.connecting import connect
from custom_components.aliyun_iot.alink.mqtt.transport import Delivery
from custom_components.aliyun_iot.commands.journal import Journal
from custom_components.aliyun_iot.const import DOMAIN, EVENT_COMMAND
from custom_components.aliyun_iot.reports.desired_values import KIND
from simulator import CloudDevice, Note, ServiceCall, Simulator

from .house import ENTITIES, EVENT_CALLED, SAMPLED, WISHES
from .sub_devices import key_of

MAX_LISTED = 20

KEPT_NOTES = 24
"""What is remembered of a property whose values are desired, for the finding that one was set again."""

STORAGE_LOGGER = "homeassistant.helpers.storage"
"""It logs an error for each file that a disk does not take."""

type FiredEvent = tuple[str, int]
"""The identifier of an event, and the number that it was fired with."""


@contextmanager
def captured_passwords() -> Iterator[set[str]]:
    """Yield the passwords and signatures that the integration makes for its connections and logins, during the context."""
    passwords: set[str] = set()

    def signed(triple: DeviceTriple, client_id: str, parameters: Mapping[str, str]) -> Credentials:
        credentials = connect_credentials(triple, client_id, parameters)
        passwords.add(credentials.password)
        return credentials

    def signed_entry(*args: Any) -> dict[str, str]:
        entry = sub_device_entry(*args)
        passwords.add(entry["sign"])
        return entry

    with (
        patch(f"{connect.__module__}.{connect_credentials.__name__}", signed),
        patch.object(gateway_requests, sub_device_entry.__name__, signed_entry),
    ):
        yield passwords


class Recorder(logging.Handler):
    """Records what the audit needs."""

    def __init__(self, cloud: Simulator, devices: Iterable[CloudDevice], secrets: Callable[[], set[str]]) -> None:
        """`secrets` returns the texts that must never be logged."""
        super().__init__(logging.DEBUG)
        self.samples: dict[str, set[int]] = {key: set() for key in SAMPLED}
        """The samples of each property whose every sample is posted."""
        self.arrivals: dict[str, Counter[tuple[int, int]]] = {key: Counter() for key in SAMPLED}
        """How often each sample arrived at the cloud, by value and time."""
        self.executions: Counter[str] = Counter()
        """How often each command was carried out, by its id."""
        self.calls: Counter[int] = Counter()
        """How often the actions of a service ran, by the argument `Number`."""
        self.events: dict[FiredEvent, int] = {}
        """The events that were fired, each with its time in UTC milliseconds."""
        self.event_arrivals: dict[FiredEvent, Counter[int]] = {}
        """How often the cloud received an event, by the time that it was posted with."""
        self.reached: set[str] = set()
        """The ids of the commands that reached the house."""
        self.excused: set[str] = set()
        """The ids of commands whose answers are lost: Home Assistant stopped without a connection, or the device is deleted."""
        self.wishes: dict[str, list[int]] = {name: [] for name in WISHES}
        """The desired values of each property, oldest first."""
        self.granted: Counter[tuple[str, int]] = Counter()
        """How often each of them was set."""
        self.set_again: dict[tuple[str, int], list[str]] = {}
        """What had happened to a property when one of its desired values was set once more, oldest first."""
        self._happened: dict[str, deque[str]] = {name: deque(maxlen=KEPT_NOTES) for name in WISHES}
        self.stale: dict[str, int] = {}
        """The last desired value of a property that was cleared because it may have been too old."""
        self.clock_was_set = False
        self.unheard: list[str] = []
        """Commands that not all listening automations heard."""
        self.heard = 0
        """Commands that were heard by all of them."""
        self.dropped = 0
        """Messages beyond the rate limit, which the cloud dropped."""
        self.messages = 0
        self.leaks: list[str] = []
        self.errors: list[str] = []
        self._cloud = cloud
        self._devices = list(devices)
        self._secrets = secrets
        self._unsubscribe: list[Callable[[], None]] = []

    def start(self) -> None:
        """Start to record logs."""
        logging.getLogger().addHandler(self)
        logging.getLogger("custom_components").setLevel(logging.DEBUG)

    def listen(self, hass: HomeAssistant) -> None:
        """Record what happens in a Home Assistant that has just been started."""
        for name in self._happened:
            self._happen(name, "Home Assistant started")
        self._unsubscribe = [
            hass.bus.async_listen(EVENT_COMMAND, self._commanded),
            hass.bus.async_listen(EVENT_CALLED, self._called),
            hass.bus.async_listen(EVENT_CALL_SERVICE, self._service_called),
        ]

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Record what only the integration sees: which commands reach it, and what it notes in its journal."""
        receive, note = Downlink.received, Journal.note

        def received(downlink: Downlink, route: Route, delivery: Delivery) -> None:
            self.reached.add(str(json.loads(delivery.payload)["id"]))
            receive(downlink, route, delivery)

        def noted(journal: Journal, kind: str, target: Iterable[str], code: int, message: str, **more: Any) -> None:
            identifiers = list(target)
            if kind == KIND and "too old" in message:
                self.stale |= {name: self.wishes[name][-1] for name in identifiers if self.wishes.get(name)}
            for name in self._happened.keys() & identifiers:
                self._happen(name, f"{kind} {code} {message}")
            note(journal, kind, identifiers, code, message, **more)

        with patch.object(Downlink, "received", received), patch.object(Journal, "note", noted):
            yield

    def stop(self) -> None:
        """Stop recording."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        logging.getLogger("custom_components").setLevel(logging.NOTSET)
        logging.getLogger().removeHandler(self)

    @property
    def present(self) -> list[CloudDevice]:
        """The devices, without those that were deleted."""
        return list({device.key: device for device in self._devices}.values())

    @property
    def commands(self) -> Iterator[ServiceCall]:
        """The commands to all devices."""
        return (call for device in self._devices for call in device.service_calls)

    def watch(self, device: CloudDevice) -> None:
        """Record what arrives at a device that was created again, too."""
        if device not in self._devices:
            self._devices.append(device)

    def record_sample(self, name: str, value: int) -> None:
        """Record a sample of a sensor."""
        for key in self.samples:
            if ENTITIES[key] == name:
                self.samples[key].add(value)

    def record_event(self, identifier: str, number: int, at: int) -> None:
        """Record an event that was fired at this time, in UTC milliseconds."""
        self.events[identifier, number] = at

    def record_wish(self, name: str, value: int) -> None:
        """Record a desired value that an application is about to set."""
        self.wishes[name].append(value)
        self._happen(name, f"{value} desired")

    def excuse_unanswered(self, devices: Iterable[CloudDevice]) -> None:
        """Excuse the commands to these devices without an answer: it is lost, as nothing of it is kept on disk."""
        for device in devices:
            self.excused |= {call.id for call in device.service_calls if not call.replies}

    def collect(self) -> None:
        """Collect the records of the cloud since the previous call."""
        for message in self._cloud.wire:
            self.messages += 1
            self.dropped += message.note == Note.RATE_LIMITED
        self._cloud.wire.clear()
        for device in self._devices:
            for identifier, samples in device.samples.items():
                if (key := key_of(device.device_name, identifier)) in self.arrivals:
                    self.arrivals[key].update((value, at) for value, at in samples if isinstance(value, int))
            device.samples.clear()
            for event in device.events:
                if isinstance(number := event.output.get("Number"), int):
                    self.event_arrivals.setdefault((event.identifier, number), Counter())[event.time] += 1
            device.events.clear()

    def emit(self, record: logging.LogRecord) -> None:
        """Look for secrets and errors in a log record."""
        text = record.getMessage()
        if record.exc_info:
            text += "".join(traceback.format_exception(*record.exc_info))
        if any(secret in text for secret in self._secrets()):
            self.leaks.append(f"{record.name} {record.levelname}")
        expected = record.name == STORAGE_LOGGER and DOMAIN in text
        if record.levelno >= logging.ERROR and not expected and len(self.errors) < MAX_LISTED:
            self.errors.append(f"{record.name}: {text}")

    @callback
    def _commanded(self, event: Event) -> None:
        self.executions[event.data["id"]] += 1

    @callback
    def _called(self, event: Event) -> None:
        self.calls[int(event.data["number"])] += 1

    @callback
    def _service_called(self, event: Event) -> None:
        data = event.data["service_data"]
        if event.data["domain"] == "input_number" and event.data["service"] == "set_value":
            entity_ids = data["entity_id"]
            for entity_id in [entity_ids] if isinstance(entity_ids, str) else entity_ids:
                name, value = entity_id.removeprefix("input_number."), int(data["value"])
                self.granted[name, value] += 1
                if name in self._happened:
                    self._happen(name, f"{value} set")
                    if self.granted[name, value] > 1:
                        self.set_again[name, value] = list(self._happened[name])

    def _happen(self, name: str, what: str) -> None:
        self._happened[name].append(f"{time.monotonic():.2f} {what}")
