"""The conversation, act by act; each step says what it expects of the other side."""

from ..stage import Step
from .commands import COMMANDS
from .frames import FRAMES
from .outage import OUTAGE
from .refusals import REFUSALS
from .reports import REPORTS
from .services import SERVICES

STEPS: tuple[Step, ...] = (*REPORTS, *COMMANDS, *REFUSALS, *SERVICES, *FRAMES, *OUTAGE)
