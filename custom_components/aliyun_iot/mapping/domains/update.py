"""Updates: available or not, both versions, progress, installing, and skipping a version. All updates are risky.

Home Assistant waits until the update is installed, which may take longer than the cloud waits for an answer; the answer
then says that it is still running. Without an available update Home Assistant refuses the action.
"""

from collections.abc import Mapping
from dataclasses import replace

from homeassistant.components.update.const import (
    SERVICE_INSTALL,
    SERVICE_SKIP,
    UpdateEntityFeature,
    UpdateEntityStateAttribute as Attribute,
)
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, Kind, Reason, Refused, Value
from ..attributes import (
    PERCENT_RANGE,
    fixed_range,
    flag_of,
    has_feature,
    number_of,
    percent,
    text_of,
    unless_default,
)
from ..momentary import COMMAND, Command, CommandSet
from ..on_off import on_or_off
from ..press import press_aspect, press_plan
from ..says import UP_TO_DATE, WORKING

NAME = "update"
INSTALL = "install"

COMMANDS = CommandSet(NAME, {"skip": Command(SERVICE_SKIP), "clear_skipped": Command("clear_skipped")})
"""Home Assistant has no constant for the second action."""

_press = press_plan(NAME, SERVICE_INSTALL, INSTALL)


def _plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    if COMMAND not in values:
        return _press(state, values)
    if values.get(INSTALL) is True:
        raise Refused(Reason.CONFLICT, f"{state.entity_id} takes a command or the installation, not both at once")
    return [COMMANDS.call(values[COMMAND])]


DOMAIN = Domain(
    name=NAME,
    aspects=(
        Aspect(
            key="available",
            kind=Kind.BOOL,
            name_en="Update available",
            name_zh="有可用更新",
            source=on_or_off,
            says=UP_TO_DATE,
            identifiers=("UpdateAvailable",),
        ),
        Aspect(
            key="installed_version",
            kind=Kind.TEXT,
            name_en="Installed version",
            name_zh="当前版本",
            source=text_of(Attribute.INSTALLED_VERSION),
            identifiers=("InstalledVersion", "FirmwareVersion"),
        ),
        Aspect(
            key="latest_version",
            kind=Kind.TEXT,
            name_en="Latest version",
            name_zh="最新版本",
            source=text_of(Attribute.LATEST_VERSION),
            identifiers=("LatestVersion",),
        ),
        Aspect(
            key="in_progress",
            kind=Kind.BOOL,
            name_en="Update in progress",
            name_zh="正在更新",
            source=unless_default(flag_of(Attribute.IN_PROGRESS), default=False),
            says=WORKING,
            identifiers=("UpdateInProgress",),
        ),
        Aspect(
            key="progress",
            kind=Kind.NUMBER,
            name_en="Update progress",
            name_zh="更新进度",
            source=number_of(Attribute.UPDATE_PERCENTAGE),
            supported=has_feature(UpdateEntityFeature.PROGRESS),
            range=fixed_range(PERCENT_RANGE),
            unit=percent,
            identifiers=("UpdateProgress",),
        ),
        replace(COMMANDS.aspect("UpdateCommand"), alternative=True),
        press_aspect(
            key=INSTALL,
            name_en="Install update",
            name_zh="安装更新",
            supported=has_feature(UpdateEntityFeature.INSTALL),
            identifiers=("InstallUpdate",),
        ),
    ),
    plan=_plan,
    risky=lambda _: True,
)
