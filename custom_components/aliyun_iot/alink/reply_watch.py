"""What the replies of the cloud, and their absence, say about the connection and about the device."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import time
from typing import Final

from .errors import CredentialsRefused, DeviceDeleted, DeviceDisabled

DEAF_POSTS: Final = 3
DEAF_SECONDS: Final = 30.0
"""So many posts without a reply, and no reply to anything for so long, end a connection whose host answers pings: the cloud may
have lost its subscriptions. A cloud that is merely slow meets that end later each time (`pacing`)."""

VERDICTS: Final[Mapping[int, type[CredentialsRefused]]] = {
    521: DeviceDeleted,
    6100: DeviceDeleted,
    522: DeviceDisabled,
    6204: DeviceDisabled,
}
"""What a refusal means that follows on such a reply (docs/protocol.md §7.2); CONNACK itself does not tell (§1.4)."""


@dataclass(slots=True)
class Hearing:
    """Listens to the codes of one link; times are monotonic seconds."""

    clock: Callable[[], float] = time.monotonic
    _missed: int = 0
    _heard_at: float = 0.0
    _verdict: type[CredentialsRefused] = CredentialsRefused

    def connected(self) -> None:
        """Begin anew: whoever is let in is neither disabled nor deleted."""
        self._missed = 0
        self._heard_at = self.clock()
        self._verdict = CredentialsRefused

    def answered(self, code: int) -> None:
        """Take note of a reply."""
        self._missed = 0
        self._heard_at = self.clock()
        self._verdict = VERDICTS.get(code, self._verdict)

    def missed(self, qos: int) -> bool:
        """Take note of a reply that did not come, and tell whether the cloud seems deaf.

        Only posts, which have QoS 1, are answered without fail; not every instance knows all the questions.
        """
        self._missed += qos
        return self._missed >= DEAF_POSTS and self.clock() - self._heard_at >= DEAF_SECONDS

    def explain(self, refusal: CredentialsRefused) -> CredentialsRefused:
        """Return a refusal of the credentials with the reason that the cloud gave beforehand, if it did."""
        return self._verdict(str(refusal))
