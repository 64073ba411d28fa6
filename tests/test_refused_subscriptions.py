"""A host that refuses subscriptions: the connection is there, but nothing arrives."""

from collections.abc import Callable

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.const import CONF_THING_MODEL
from custom_components.aliyun_iot.diagnostics import async_get_config_entry_diagnostics
from custom_components.aliyun_iot.health.issues import Issue
from simulator import CloudDevice, Simulator
from simulator.broker.connection import MqttConnection

from .application import LAMP, SERVICES
from .conftest import DEVICE_NAME, PRODUCT_KEY, SetUp
from .outages import quick_to_return
from .test_events import bind_event
from .test_issues import shown_issues, wait_for_issue
from .waiting import until

THING = f"/sys/{PRODUCT_KEY}/{DEVICE_NAME}/thing"
SET = f"{THING}/service/property/set"
REPLY = f"{THING}/event/property/post_reply"
CONNECTED = "binary_sensor.gw_1_connected"

type Refuse = Callable[[Callable[[str], bool]], None]


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """Return a function that lets the host refuse some topic filters."""
    quick_to_return(monkeypatch)
    may = MqttConnection._may_subscribe

    def run(refused: Callable[[str], bool]) -> None:
        monkeypatch.setattr(
            MqttConnection, "_may_subscribe", lambda one, topic: None if refused(topic) else may(one, topic)
        )

    return run


async def test_all_subscriptions_are_refused(
    hass: HomeAssistant,
    device: CloudDevice,
    set_up: SetUp,
    refuse: Refuse,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An issue names those that are necessary; the sensor says why nothing arrives; the log has one line."""
    refuse(lambda _: True)
    entry = await set_up(options={CONF_THING_MODEL: None})
    issue = await wait_for_issue(hass, Issue.SUBSCRIPTIONS_REFUSED)
    assert issue == {"device": DEVICE_NAME, "count": "2", "filters": f"- `{SET}`\n- `{REPLY}`"}
    state = hass.states.get(CONNECTED)
    assert (state.state, state.attributes["reason"]) == ("on", "subscriptions_refused")
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert "/sys/**REDACTED**/**REDACTED**/thing/service/property/set" in diagnostics["link"]["refused_subscriptions"]

    device.connection.close("again")
    await until(lambda: entry.runtime_data.link.state is not LinkState.ONLINE)
    await until(lambda: entry.runtime_data.link.state is LinkState.ONLINE)
    assert caplog.text.count("The host refuses subscriptions") == 1
    assert Issue.SUBSCRIPTIONS_REFUSED in shown_issues(hass)

    refuse(lambda _: False)
    device.connection.close("again")
    await until(lambda: Issue.SUBSCRIPTIONS_REFUSED not in shown_issues(hass))
    await until(lambda: "reason" not in hass.states.get(CONNECTED).attributes)


async def test_services_and_events_are_named_where_they_are_used(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, refuse: Refuse
) -> None:
    """What is bound while the connection lasts counts at once."""
    refuse(lambda topic: "post_reply" in topic or "service/+" in topic or topic.endswith("ReadMeter"))
    entry = await set_up(services=SERVICES)
    issue = await wait_for_issue(hass, Issue.SUBSCRIPTIONS_REFUSED)
    assert issue["filters"] == f"- `{REPLY}`\n- `{THING}/service/ReadMeter`"
    await bind_event(hass, entry, identifier="DeviceFault", triggers=[{"trigger": "event", "event_type": "fault"}])
    await until(lambda: shown_issues(hass)[Issue.SUBSCRIPTIONS_REFUSED]["count"] == "3")
    assert f"- `{THING}/event/+/post_reply`" in shown_issues(hass)[Issue.SUBSCRIPTIONS_REFUSED]["filters"]


async def test_refused_wildcards_are_no_problem(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, house: None, set_up: SetUp
) -> None:
    """Values are confirmed and services are called by filters without one."""
    cloud.faults.set(refuse_wildcards=True)
    entry = await set_up([LAMP], services=SERVICES)
    await until(lambda: entry.runtime_data.device.reporter.counters.sent)
    assert Issue.SUBSCRIPTIONS_REFUSED not in shown_issues(hass)
    assert "reason" not in hass.states.get(CONNECTED).attributes
