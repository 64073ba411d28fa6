"""Records of both sides: what happened in Home Assistant, what arrived at the cloud, and what was logged.

The records of the simulator are collected regularly and removed there, so that the measured memory is that of the integration.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
import logging
import traceback
from unittest.mock import patch

from homeassistant.core import Event, HomeAssistant, callback

from custom_components.aliyun_iot.alink.auth import Credentials, DeviceTriple, connect_credentials
from custom_components.aliyun_iot.alink.mqtt.connecting import connect
from custom_components.aliyun_iot.const import EVENT_COMMAND
from simulator import CloudDevice, Note, Simulator

from .house import EVENT_CALLED, EVERY

MAX_LISTED = 20

type FiredEvent = tuple[str, int]
"""The identifier of an event, and the number that it was fired with."""


@contextmanager
def captured_passwords() -> Iterator[set[str]]:
    """Yield the passwords that the integration signs for its connections; they are added during the context."""
    passwords: set[str] = set()

    def signed(triple: DeviceTriple, client_id: str, parameters: Mapping[str, str]) -> Credentials:
        credentials = connect_credentials(triple, client_id, parameters)
        passwords.add(credentials.password)
        return credentials

    with patch(f"{connect.__module__}.{connect_credentials.__name__}", signed):
        yield passwords


class Recorder(logging.Handler):
    """Records what the audit needs."""

    def __init__(
        self, hass: HomeAssistant, cloud: Simulator, device: CloudDevice, secrets: Callable[[], set[str]]
    ) -> None:
        """`secrets` returns the texts that must never be logged."""
        super().__init__(logging.DEBUG)
        self.samples: dict[str, set[int]] = {name: set() for name in EVERY}
        """The samples of each sensor whose every sample is posted."""
        self.arrivals: dict[str, Counter[tuple[int, int]]] = {name: Counter() for name in EVERY}
        """How often each sample arrived at the cloud, by value and time."""
        self.executions: Counter[str] = Counter()
        """How often each command was carried out, by its id."""
        self.calls: Counter[int] = Counter()
        """How often the actions of a service ran, by the argument `Number`."""
        self.events: dict[FiredEvent, int] = {}
        """The events that were fired, each with its time in UTC milliseconds."""
        self.event_arrivals: dict[FiredEvent, Counter[int]] = {}
        """How often the cloud received an event, by the time that it was posted with."""
        self.dropped_events = 0
        """Events that the integration has counted as dropped."""
        self.dropped = 0
        """Messages beyond the rate limit, which the cloud dropped."""
        self.messages = 0
        self.leaks: list[str] = []
        self.errors: list[str] = []
        self._hass = hass
        self._cloud = cloud
        self._device = device
        self._secrets = secrets
        self._unsubscribe: list[Callable[[], None]] = []

    def start(self) -> None:
        """Start to record."""
        self._unsubscribe = [
            self._hass.bus.async_listen(EVENT_COMMAND, self._commanded),
            self._hass.bus.async_listen(EVENT_CALLED, self._called),
        ]
        logging.getLogger().addHandler(self)
        logging.getLogger("custom_components").setLevel(logging.DEBUG)

    def stop(self) -> None:
        """Stop recording."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        logging.getLogger("custom_components").setLevel(logging.NOTSET)
        logging.getLogger().removeHandler(self)

    def record_sample(self, name: str, value: int) -> None:
        """Record a sample of a sensor."""
        self.samples[name].add(value)

    def record_event(self, identifier: str, number: int, at: int) -> None:
        """Record an event that was fired at this time, in UTC milliseconds."""
        self.events[identifier, number] = at

    def collect(self) -> None:
        """Collect the records of the cloud since the previous call."""
        for message in self._cloud.wire:
            self.messages += 1
            self.dropped += message.note == Note.RATE_LIMITED
        self._cloud.wire.clear()
        for name, samples in self._device.samples.items():
            if name in self.arrivals:
                self.arrivals[name].update((value, at) for value, at in samples if isinstance(value, int))
        self._device.samples.clear()
        for event in self._device.events:
            if isinstance(number := event.output.get("Number"), int):
                self.event_arrivals.setdefault((event.identifier, number), Counter())[event.time] += 1
        self._device.events.clear()

    def emit(self, record: logging.LogRecord) -> None:
        """Look for secrets and errors in a log record."""
        text = record.getMessage()
        if record.exc_info:
            text += "".join(traceback.format_exception(*record.exc_info))
        if any(secret in text for secret in self._secrets()):
            self.leaks.append(f"{record.name} {record.levelname}")
        if record.levelno >= logging.ERROR and len(self.errors) < MAX_LISTED:
            self.errors.append(f"{record.name}: {text}")

    @callback
    def _commanded(self, event: Event) -> None:
        self.executions[event.data["id"]] += 1

    @callback
    def _called(self, event: Event) -> None:
        self.calls[int(event.data["number"])] += 1
