"""Shared by all actions: the entry of a call, and translated errors."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import ServiceCall
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.service import async_get_config_entry
import voluptuous as vol

from ..addressed import device_key, owner_of
from ..alink.codes import describe
from ..alink.errors import MessageError, NotConnected, Rejected, RequestTimeout
from ..alink.foreign import Safe, safe
from ..alink.i18n import is_chinese
from ..cloud_device import CloudDevice
from ..const import DOMAIN
from ..log_text import first_of
from ..runtime import AliyunConfigEntry, Runtime

MAX_LISTED = 20
"""Identifiers that an error lists at most."""


def runtime_of(call: ServiceCall) -> Runtime:
    """Return the runtime of the entry of a call; raises ServiceValidationError unless the entry is loaded."""
    entry: AliyunConfigEntry = async_get_config_entry(call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID])
    return entry.runtime_data


def cloud_device_of(call: ServiceCall) -> CloudDevice:
    """Return the device that a call names; raises ServiceValidationError unless it runs."""
    runtime = runtime_of(call)
    try:
        owner = owner_of(call.data, device_key(call.hass, call.data))
    except vol.Invalid:
        raise misuse("no_sub_device") from None
    if (device := runtime.cloud_device(owner)) is None:
        raise misuse("no_sub_device")
    return device


def misuse(key: str, **placeholders: str) -> ServiceValidationError:
    """Return the error for a call with invalid data."""
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=_safe(placeholders)
    )


def failure(key: str, **placeholders: str) -> HomeAssistantError:
    """Return the error for a valid call that failed."""
    return HomeAssistantError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=_safe(placeholders)
    )


def _safe(placeholders: Mapping[str, str]) -> dict[str, str]:
    return {key: safe(text) for key, text in placeholders.items()}


def refusal(call: ServiceCall, code: int, message: str) -> HomeAssistantError:
    """Return the error for a reply of the cloud other than 200."""
    return failure("rejected", code=str(code), message=message, meaning=describe(code, call.hass.config.language))


def listed(call: ServiceCall, texts: Collection[str], joint: str = "") -> Safe:
    """Return identifiers, or other texts with this joint, for an error; at most `MAX_LISTED`."""
    language = call.hass.config.language
    joint = joint or ("、" if is_chinese(language) else ", ")
    return Safe(joint.join(safe(one) for one in first_of(sorted(texts), MAX_LISTED, language)) or "–")


@contextmanager
def translated_errors(call: ServiceCall) -> Iterator[None]:
    """Turn the exceptions of a request to the cloud into translated errors."""
    try:
        yield
    except NotConnected as err:
        raise failure("not_connected") from err
    except RequestTimeout as err:
        raise failure("request_timeout") from err
    except Rejected as err:
        raise refusal(call, err.code, err.message) from err
    except (MessageError, ValueError) as err:
        raise failure("not_sendable", reason=str(err)) from err
