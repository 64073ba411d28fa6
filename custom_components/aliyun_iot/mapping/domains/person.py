"""People: report only."""

from ..aspect import Domain
from ..whereabouts import WHEREABOUTS

DOMAIN = Domain(name="person", aspects=WHEREABOUTS)
