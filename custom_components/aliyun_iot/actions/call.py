"""What every action has in common: the device it speaks as, and errors in the words of the user."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import ServiceCall
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry
import voluptuous as vol

from ..alink.codes import describe
from ..alink.errors import MessageError, NotConnected, Rejected, RequestTimeout
from ..const import DOMAIN
from ..runtime import AliyunConfigEntry, Runtime

ENTRY = {vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string}
"""The field that every action has."""

NAMED = 20
"""Identifiers that an error lists at most."""


def runtime_of(call: ServiceCall) -> Runtime:
    """Return what runs for the device that is meant; raises ServiceValidationError unless it is loaded."""
    entry: AliyunConfigEntry = async_get_config_entry(call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID])
    return entry.runtime_data


def misuse(key: str, **placeholders: str) -> ServiceValidationError:
    """Return the error for something that can't be meant."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders)


def failure(key: str, **placeholders: str) -> HomeAssistantError:
    """Return the error for something that was meant and did not work."""
    return HomeAssistantError(translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders)


def refusal(call: ServiceCall, code: int, message: str) -> HomeAssistantError:
    """Return the error for an answer of the cloud that is not 200."""
    return failure("rejected", code=str(code), message=message, meaning=describe(code, call.hass.config.language))


def enumerated(identifiers: Collection[str]) -> str:
    """Return what there is instead of something that there isn't, as far as an error can say it."""
    names = sorted(identifiers)
    more = ", …" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more or "–"


@contextmanager
def told_to_the_user(call: ServiceCall) -> Iterator[None]:
    """Turn what a request to the cloud raises into errors that a user can read."""
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
