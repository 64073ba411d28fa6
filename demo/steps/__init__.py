"""The steps of the conversation, each with its expectations."""

from ..conversation import Step
from .commands import COMMANDS
from .frames import FRAMES
from .gateway import GATEWAY
from .outage import OUTAGE
from .refusals import REFUSALS
from .reports import REPORTS
from .services import SERVICES

STEPS: tuple[Step, ...] = (*REPORTS, *COMMANDS, *REFUSALS, *SERVICES, *FRAMES, *GATEWAY, *OUTAGE)
