"""What the OpenAPI refuses: one class for each cause that is told in its own words (docs/protocol.md §20.3)."""
# ruff: noqa: N818 - named after what happened, as in `alink/errors.py`.

from collections.abc import Mapping
from typing import ClassVar, Final

from ..alink.errors import AlinkError
from ..alink.foreign import Safe, safe


class ApiError(AlinkError):
    """The OpenAPI refused a call; `key` is the translation key of the error."""

    key: ClassVar[str] = "api_failed"

    def __init_subclass__(cls, key: str) -> None:
        """Set the key."""
        cls.key = key

    def __init__(self, action: str, code: str, message: str) -> None:
        """`message` is the platform's, without any secret."""
        self.action = action
        self.code = safe(code)
        self.message = safe(message)
        super().__init__(Safe(f"{action}: {self.code}: {self.message}"))

    @property
    def placeholders(self) -> dict[str, str]:
        """What the texts of the errors can name."""
        return {"action": self.action, "code": self.code, "message": self.message}


class AccessKeyRefused(ApiError, key="access_key_refused"):
    """There is no such AccessKey, it is disabled, or the secret is wrong."""


class AccountInactive(ApiError, key="account_inactive"):
    """The IoT platform is not activated for the account, or a payment is overdue."""


class AnswerUnreadable(ApiError, key="answer_unreadable"):
    """The host does not answer as the OpenAPI does."""


class ClockWrong(ApiError, key="clock_wrong"):
    """The clock of this machine differs by more than 15 minutes."""


class InstanceUnknown(ApiError, key="instance_unknown"):
    """The account has no such instance in this region."""


class LimitReached(ApiError, key="limit_reached"):
    """The account has as many products or devices as it may have."""


class ModelInvalid(ApiError, key="model_invalid"):
    """The platform does not accept the thing model."""


class ModelNotPublished(ApiError, key="model_not_published"):
    """The thing model of the product was never published."""


class NameTaken(ApiError, key="name_taken"):
    """There is a product, or in the product a device, with this name already."""


class NoPermission(ApiError, key="no_permission"):
    """The RAM user may not call the action."""


class NotThere(ApiError, key="not_there"):
    """There is no such product or device, any more perhaps."""


class ProductInUse(ApiError, key="product_in_use"):
    """The product has devices, so it can't be deleted."""


class ProductLocked(ApiError, key="product_locked"):
    """The product is published as a whole, so its thing model can't be changed."""


class Throttled(ApiError, key="throttled"):
    """Too many calls in a short time."""


_CODES: Final[Mapping[str, type[ApiError]]] = {
    "Iot.system.BillIsOverDue": AccountInactive,
    "NoPermission": NoPermission,
    "SignatureDoesNotMatch": AccessKeyRefused,
    "IncompleteSignature": AccessKeyRefused,
    "iot.Sre.IotInstanceNotFound": InstanceUnknown,
    "iot.common.AuthActionPermissionDeny": NoPermission,
    "iot.common.HighFrequentDeny": Throttled,
    "iot.common.InvalidTenant": AccountInactive,
    "iot.common.RamActionPermissionDeny": NoPermission,
    "iot.device.AlreadyExistedDeviceName": NameTaken,
    "iot.device.DeviceCountExceeded": LimitReached,
    "iot.device.NotExistedDevice": NotThere,
    "iot.device.TooManySubDevices": LimitReached,
    "iot.device.TopoRelationCountExceeded": LimitReached,
    "iot.messagebroker.RateLimit": Throttled,
    "iot.prod.AlreadyExistedProductName": NameTaken,
    "iot.prod.AlreadyPublishedProduct": ProductLocked,
    "iot.prod.NotExistedProduct": NotThere,
    "iot.prod.ProductCountExceedMax": LimitReached,
    "iot.prod.ProductHasDevices": ProductInUse,
    "iot.system.InstanceNotFound": InstanceUnknown,
    "iot.system.UidNotFound": AccountInactive,
    "iot.tsl.InvalidThingModel": ModelInvalid,
    "iot.tsl.NotExistedModelVersion": ModelNotPublished,
}
_PREFIXES: Final[Mapping[str, type[ApiError]]] = {
    "Forbidden": NoPermission,
    "InvalidAccessKeyId": AccessKeyRefused,
    "InvalidTimeStamp": ClockWrong,
    "Throttling": Throttled,
}


def api_error(action: str, code: str, message: str) -> ApiError:
    """Return the error for a code; the text of a refused signature repeats the request, so it is left out."""
    kind = _CODES.get(code) or next((kind for prefix, kind in _PREFIXES.items() if code.startswith(prefix)), ApiError)
    return kind(action, code, "" if kind is AccessKeyRefused else message)
