"""People: report only."""

from ..aspect import Domain
from ..presence import WHEREABOUTS

DOMAIN = Domain(name="person", aspects=WHEREABOUTS)
