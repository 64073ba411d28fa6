"""What can be chosen when a simulator is made."""

from dataclasses import dataclass

from .dialect import DIALECTS, Dialect

SYNC_SERVICE_TIMEOUT = 5.0
"""Seconds, docs/protocol.md §6.4."""


@dataclass(frozen=True, slots=True)
class Options:
    """Limits and switches; the defaults are those of the platform."""

    connects_per_minute: int | None = 5
    """CONNECTs of each device, and logins of each sub-device; None means no limit."""
    logins_per_second: int | None = 200
    """Logins of the sub-devices of each gateway; None means no limit."""
    login_batch: int = 50
    """Sub-devices in one batch login or logout; 5 in the documentation of 2020."""
    sub_device_limit: int = 2000
    """Sub-devices of each gateway; 1500 in the documentation of 2020."""
    device_limit: int | None = None
    """Devices in all; 500 on a public instance. None means no limit."""
    service_timeout: float = SYNC_SERVICE_TIMEOUT
    """Seconds that a synchronous service waits for its reply."""
    downlink_qos: int = 0
    """0 or 1, since the platform does not document which it uses; RRPC is always sent with 0."""
    plain_registration: bool = False
    """Whether devices may register dynamically without TLS, which the platform refuses."""
    strict_values: bool = False
    """Whether values of floats must have a decimal point, as in the documentation (docs/protocol.md §4.1)."""
    strict_model: bool = False
    """Whether thing models must obey the rules of the console (docs/protocol.md §8.3)."""
    dialect: Dialect = DIALECTS["aliyun"]
    """How the host differs from the platform."""
