"""What the chapters work with: the parts of one simulator."""

from dataclasses import dataclass

from .commands import Commands
from .delivery import Delivery
from .faults import Faults
from .options import Options
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
