"""What the chapters work with: the parts of one simulator."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from .applications import Applications
from .commands import Commands
from .delivery import Delivery
from .device import CloudDevice
from .faults import Faults
from .files import Files
from .jobs import Jobs
from .options import Options
from .ota import Upgrades
from .registry import Registry
from .transcript import Transcript


@dataclass(frozen=True, slots=True)
class Platform:
    """The parts of one simulator, for the handlers of messages and the actions of the API."""

    options: Options
    registry: Registry
    transcript: Transcript
    faults: Faults
    delivery: Delivery
    commands: Commands
    files: Files = field(default_factory=Files)
    upgrades: Upgrades = field(default_factory=Upgrades)
    jobs: Jobs = field(default_factory=Jobs)
    applications: Applications = field(default_factory=Applications)
    on_online: list[Callable[[Platform, CloudDevice], None]] = field(default_factory=list)
    """Called a moment after a device has come online."""

    def came_online(self, device: CloudDevice) -> None:
        """Call `on_online`, after what is being sent to the device now."""

        def notify() -> None:
            for callback in self.on_online if device.online else ():
                callback(self, device)

        asyncio.get_running_loop().call_soon(notify)
