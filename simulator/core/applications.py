"""Applications to register many devices at once (docs/protocol.md §20.4). They are processed at once, not in minutes."""

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count

from .device import CloudDevice
from .product import Product

FIRST_ID = 1_295_006


class ApplicationStatus(StrEnum):
    """What an application has come to."""

    CHECK_SUCCESS = "CHECK_SUCCESS"
    """Its names can be registered."""
    CHECK_FAILED = "CHECK_FAILED"
    CREATE_SUCCESS = "CREATE_SUCCESS"
    CREATE_FAILED = "CREATE_FAILED"
    """Some or all of its devices could not be registered."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A name that can't be registered, and why."""

    device_name: str
    nickname: str
    reason: str


@dataclass(slots=True)
class Application:
    """The names to register, with their nicknames, and what has become of them."""

    id: int
    product: Product
    names: dict[str, str]
    status: ApplicationStatus
    devices: list[CloudDevice] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


class Applications:
    """All applications, by their ids."""

    def __init__(self) -> None:
        """Start without any."""
        self._ids = count(FIRST_ID)
        self._applications: dict[int, Application] = {}

    def add(self, product: Product, names: dict[str, str], status: ApplicationStatus) -> Application:
        """Make an application."""
        application = Application(next(self._ids), product, names, status)
        self._applications[application.id] = application
        return application

    def find(self, application_id: int) -> Application | None:
        """Return an application, None if there is none with this id."""
        return self._applications.get(application_id)
