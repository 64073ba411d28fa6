"""Who sees both sides: what happened in the house, what the cloud has of it, and what was said in the logs.

The records of the simulator are taken over once in a while and thrown away there, so that memory shows what the integration
needs and not what the cloud remembers.
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

LONGEST_LIST = 20

type FiredEvent = tuple[str, int]
"""The identifier of an event, and the number that it was fired with."""


@contextmanager
def overheard() -> Iterator[set[str]]:
    """Yield the passwords that the integration signs for its connections, as they come."""
    passwords: set[str] = set()

    def signed(triple: DeviceTriple, client_id: str, parameters: Mapping[str, str]) -> Credentials:
        credentials = connect_credentials(triple, client_id, parameters)
        passwords.add(credentials.password)
        return credentials

    with patch(f"{connect.__module__}.{connect_credentials.__name__}", signed):
        yield passwords


class Witness(logging.Handler):
    """Keeps what the auditor needs."""

    def __init__(
        self, hass: HomeAssistant, cloud: Simulator, device: CloudDevice, secrets: Callable[[], set[str]]
    ) -> None:
        """`secrets` returns what must never be logged."""
        super().__init__(logging.DEBUG)
        self.samples: dict[str, set[int]] = {name: set() for name in EVERY}
        """What every sensor measured of which each sample counts."""
        self.arrivals: dict[str, Counter[tuple[int, int]]] = {name: Counter() for name in EVERY}
        """What the cloud has of them: how often it got a value under a time."""
        self.executions: Counter[str] = Counter()
        """How often the command of an id was carried out."""
        self.calls: Counter[int] = Counter()
        """How often the actions of a service ran, by the number that it was called with."""
        self.events: dict[FiredEvent, int] = {}
        """The events that were fired, each with its time in UTC milliseconds."""
        self.event_arrivals: dict[FiredEvent, Counter[int]] = {}
        """How often the cloud received an event, by the time that it was posted with."""
        self.dropped_events = 0
        """Events that the integration has counted as dropped."""
        self.dropped = 0
        """Messages that the cloud threw away for coming too fast."""
        self.messages = 0
        self.leaks: list[str] = []
        self.errors: list[str] = []
        self._hass = hass
        self._cloud = cloud
        self._device = device
        self._secrets = secrets
        self._seen = 0
        self._ends: list[Callable[[], None]] = []

    def start(self) -> None:
        """Begin to look."""
        self._ends = [
            self._hass.bus.async_listen(EVENT_COMMAND, self._commanded),
            self._hass.bus.async_listen(EVENT_CALLED, self._called),
        ]
        logging.getLogger().addHandler(self)
        logging.getLogger("custom_components").setLevel(logging.DEBUG)

    def stop(self) -> None:
        """Look no more."""
        for end in self._ends:
            end()
        logging.getLogger("custom_components").setLevel(logging.NOTSET)
        logging.getLogger().removeHandler(self)

    def measured(self, name: str, value: int) -> None:
        """Take note of a sample."""
        self.samples[name].add(value)

    def fired(self, identifier: str, number: int, at: int) -> None:
        """Record an event that was fired at this time, in UTC milliseconds."""
        self.events[identifier, number] = at

    def collect(self) -> None:
        """Take over what the cloud has recorded since the last time."""
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
        """Look for secrets and for what nobody expected."""
        text = record.getMessage()
        if record.exc_info:
            text += "".join(traceback.format_exception(*record.exc_info))
        if any(secret in text for secret in self._secrets()):
            self.leaks.append(f"{record.name} {record.levelname}")
        if record.levelno >= logging.ERROR and len(self.errors) < LONGEST_LIST:
            self.errors.append(f"{record.name}: {text}")

    @callback
    def _commanded(self, event: Event) -> None:
        self.executions[event.data["id"]] += 1

    @callback
    def _called(self, event: Event) -> None:
        self.calls[int(event.data["number"])] += 1
