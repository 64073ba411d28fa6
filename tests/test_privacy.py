"""Private values reach the actions and the triggers of automations, and nothing that is shown, stored or sent."""

from collections.abc import Callable
import json
from typing import Any

from homeassistant.core import Event, HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.aliyun_iot import logbook
from custom_components.aliyun_iot.commands.outcome import HIDDEN, is_private, masked, withheld
from custom_components.aliyun_iot.const import EVENT_COMMAND, EVENT_COMMAND_FAILED
from custom_components.aliyun_iot.diagnostics import async_get_config_entry_diagnostics
from simulator import CloudDevice, Simulator

from .application import SetProperties, publish, reply_on
from .automations import ENTRY_ID, automate, trigger, trigger_data
from .conftest import SetUp
from .waiting import until

PIN = "hunter2"
TEXT = {"identifier": "DoorPin", "entity": "input_text.pin", "aspect": "text", "access": "both"}
OPEN = {"identifier": "Note", "entity": "input_text.note", "aspect": "text", "access": "both"}


@pytest.fixture(autouse=True)
async def texts(hass: HomeAssistant, device: CloudDevice) -> None:
    """Add two text helpers with a pattern, of which no thing model says anything."""
    device.thing_model = None
    helper = {"pattern": "[0-9]{4}", "initial": "0000"}
    assert await async_setup_component(hass, "input_text", {"input_text": {"pin": helper, "note": helper}})


class Observer:
    """Collects everything that the integration shows, stores or sends."""

    def __init__(self, hass: HomeAssistant, cloud: Simulator) -> None:
        """Collect from now on."""
        self._hass = hass
        self._cloud = cloud
        self.commands = async_capture_events(hass, EVENT_COMMAND)
        self.failures = async_capture_events(hass, EVENT_COMMAND_FAILED)

    async def everything(self, entry: Any) -> str:
        """Return all of it as text."""
        describers: dict[str, Callable[[Event], dict[str, Any]]] = {}
        logbook.async_describe_events(self._hass, lambda _domain, name, describe: describers.setdefault(name, describe))
        events = [*self.commands, *self.failures]
        return json.dumps(
            {
                "bus": [event.as_dict() for event in events],
                "logbook": [describers[str(event.event_type)](event) for event in events],
                "states": [state.as_dict() for state in self._hass.states.async_all("event")],
                "diagnostics": await async_get_config_entry_diagnostics(self._hass, entry),
                "answers": [one.payload.decode() for one in self._cloud.wire if one.topic.endswith("_reply")],
            },
            default=str,
        )


async def test_refused_private_value_is_shown_nowhere(
    hass: HomeAssistant, cloud: Simulator, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Neither with its own property nor with one of the same command; the reason is given in general terms."""
    observer = Observer(hass, cloud)
    entry = await set_up([TEXT, OPEN], options={"thing_model": None})
    cloud.wire.clear()
    reply = await set_properties(DoorPin=PIN, Note="1234")
    await until(lambda: hass.states.get("event.gw_1_property_set").state != "unknown")
    assert reply.code == 100009
    assert reply.data == {"DoorPin": "The value is outside the range that the thing model or the entity allows"}
    assert hass.states.get("input_text.note").state == "1234"
    assert observer.commands[0].data["params"] == {"DoorPin": HIDDEN, "Note": "1234"}
    assert [change["value"] for change in observer.commands[0].data["changes"]] == [HIDDEN, "1234"]
    assert PIN not in await observer.everything(entry)


async def test_value_that_is_not_private_is_repeated(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """The message says what is wrong with it."""
    await set_up([OPEN], options={"thing_model": None})
    assert f"'{PIN}'" in (await set_properties(Note=PIN)).message


async def test_private_member_of_a_structure_is_masked(
    hass: HomeAssistant, cloud: Simulator, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Also where the property itself has a harmless name."""
    observer = Observer(hass, cloud)
    row = {**OPEN, "identifier": "Access"}
    entry = await set_up([row], options={"thing_model": None})
    cloud.wire.clear()
    reply = await set_properties(Access={"user": "anna", "pin": PIN})
    assert reply.code == 100008
    assert observer.commands[0].data["params"] == {"Access": {"user": "anna", "pin": HIDDEN}}
    assert PIN not in await observer.everything(entry)


async def test_automations_and_actions_get_private_values(
    hass: HomeAssistant, cloud: Simulator, set_up: SetUp, set_properties: SetProperties
) -> None:
    """They need them to act. An error text that repeats the value is withheld."""
    given: list[str] = []

    async def unlock(call: ServiceCall) -> None:
        given.append(call.data["pin"])
        raise HomeAssistantError(f"{call.data['pin']} opens nothing")

    hass.services.async_register("test", "unlock", unlock)
    calls = await automate(hass, [trigger("property_set_received", identifier="DoorPin")])
    observer = Observer(hass, cloud)
    actions = [{"action": "test.unlock", "data": {"pin": "{{ value }}"}}]
    row = {"identifier": "DoorPin", "entity": "", "aspect": "actions", "access": "control", "actions": actions}
    entry = await set_up([row], options={"thing_model": None}, entry_id=ENTRY_ID)
    cloud.wire.clear()
    reply = await set_properties(DoorPin=PIN)
    await hass.async_block_till_done()
    assert given == [PIN]
    assert [trigger_data(call)["value"] for call in calls] == [PIN]
    assert reply.code == 100005
    assert "withheld" in reply.message
    assert PIN not in await observer.everything(entry)


@pytest.mark.parametrize(
    ("actions", "code", "words"),
    [
        ([{"action": "test.unlock", "data": {"pin": "{{ PinCode }}"}}], 100005, "withheld"),
        ([{"stop": "the door is jammed", "error": True}], 100005, "the door is jammed"),
        (
            [{"variables": {"answer": {"Token": "{{ PinCode }}"}}}, {"stop": "", "response_variable": "answer"}],
            200,
            "success",
        ),
    ],
    ids=["repeats it", "does not", "answers with it"],
)
async def test_private_input_of_a_service(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, actions: list[Any], code: int, words: str
) -> None:
    """Only an error text that repeats it is withheld. Output data are the answer that the cloud asked for."""

    async def unlock(call: ServiceCall) -> None:
        raise HomeAssistantError(f"{call.data['pin']!r} is wrong")

    hass.services.async_register("test", "unlock", unlock)
    observer = Observer(hass, cloud)
    service = {"identifier": "Unlock", "actions": actions}
    entry = await set_up(services=[service], options={"thing_model": None})
    await publish(cloud, device, "thing/service/Unlock", {"id": "7", "params": {"PinCode": PIN, "Door": "front"}})
    reply = await reply_on(cloud, "Unlock_reply")
    await hass.async_block_till_done()
    assert reply["code"] == code
    assert words in reply["message"]
    assert observer.commands[0].data["params"] == {"PinCode": HIDDEN, "Door": "front"}
    cloud.wire.clear()
    assert PIN not in await observer.everything(entry)


@pytest.mark.parametrize(
    ("name", "private"),
    [
        ("DoorPin", True),
        ("DoorPinCode", True),
        ("DoorPin[2]", True),
        ("lock:pin", True),
        ("Access.pin", True),
        ("WIFI_PIN", True),
        ("wifiPassword", True),
        ("Spinning", False),
        ("Pinch", False),
        ("ShoppingCode", False),
    ],
)
def test_names_of_private_values(name: str, private: bool) -> None:
    """Identifiers, also of custom modules, and paths of members."""
    assert is_private(name) is private


def test_members_are_found_at_any_depth() -> None:
    """In lists and in structures; the rest stays as it is."""
    value = {"Doors": [{"Name": "front", "Pin": 1234}], "Open": True}
    assert is_private("Access", value)
    assert masked("Access", value) == {"Doors": [{"Name": "front", "Pin": HIDDEN}], "Open": True}
    assert not is_private("Access", {"Doors": [{"Name": "front"}]})


@pytest.mark.parametrize(
    ("text", "values", "kept"),
    [
        ("1234 is wrong", {"Pin": 1234}, False),
        ("got 'a\\nb'", {"Pin": "a\nb"}, False),
        ("got [1, 2, 3]", {"Token": [2]}, False),
        ("got {'pin': 'x'}", {"Access": {"user": "anna", "pin": "x"}}, False),
        ("front is open", {"Pin": "", "Token": None, "Door": "front"}, True),
        ("True", {"UsePIN": True}, True),
    ],
)
def test_error_texts_with_private_values_are_withheld(text: str, values: dict[str, object], kept: bool) -> None:
    """As it was sent or as Python writes it; an empty value is no reason."""
    assert (withheld(text, values) == text) is kept
