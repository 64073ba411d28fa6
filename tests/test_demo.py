"""The parts of the demo that need no running Home Assistant; `scripts/demo --exit` tests the rest."""

import json
from pathlib import Path
import re
import shlex
import socket
import sys

import pytest
import yaml

from custom_components.aliyun_iot.alink.codes import describe
from custom_components.aliyun_iot.alink.model.thing_model import ThingModel
from demo import __main__ as demo_main
from demo.cloud import THING_MODEL, Cloud, thing_model
from demo.flows import BULK_ENTITIES, SERVICES, SINGLE_BINDINGS
from demo.home_client import HomeEvent
from demo.house import AREAS, CHINESE_NAMES, CONFIGURATION, DASHBOARD, LABELED, MADE_IN_BROWSER, build
from demo.lines import UP, Line, event_line, wire_line
from demo.steps.reports import EXPECTED
from demo.transcript import Transcript
from demo.words import Language, Words
from simulator import Direction, WireMessage

HELPERS = ("input_boolean", "input_number", "script")


class _HomeAssistantLoader(yaml.SafeLoader):
    """Ignores the tags of Home Assistant's YAML."""


_HomeAssistantLoader.add_multi_constructor("!", lambda *_: None)


def entities_of_the_house() -> set[str]:
    """Return the entity ids that `house.yaml` creates."""
    house = yaml.load(CONFIGURATION.read_text(), _HomeAssistantLoader)  # noqa: S506 - a subclass of SafeLoader
    helpers = {f"{domain}.{name}" for domain in HELPERS for name in house[domain]}
    templates = {
        entity["default_entity_id"] for block in house["template"] for rows in block.values() for entity in rows
    }
    return helpers | templates


def entities_in(node: object) -> set[str]:
    """Return the entity ids in a dashboard."""
    match node:
        case dict():
            return {node["entity"]} if "entity" in node else set().union(*map(entities_in, node.values()))
        case list():
            return set().union(*map(entities_in, node))
        case str() if "." in node and node.partition(".")[0].isidentifier():
            return {node}
    return set()


def wire_message(topic: str, payload: bytes, direction: Direction = Direction.UP, note: str = "") -> WireMessage:
    """Return a message of the demo house."""
    return WireMessage(1, 5.0, direction, "a1HomeDemo1/demo-house", topic, 0, payload, note)


def test_house_has_all_named_bound_and_shown_entities() -> None:
    """The other files use no other entity ids than `house.yaml`."""
    entities = entities_of_the_house()
    assert set(CHINESE_NAMES) == entities
    assert {*LABELED} <= {entity_id for each in AREAS.values() for entity_id in each} <= entities
    assert {*map(str, BULK_ENTITIES), *SINGLE_BINDINGS} <= entities
    assert entities_in(yaml.safe_load(DASHBOARD.read_text())) <= entities


def test_house_keeps_what_is_made_in_the_browser() -> None:
    """Automations, scenes and scripts made in the browser have a file that the configuration includes."""
    assert sorted(re.findall(r"!include (\S+)", CONFIGURATION.read_text())) == sorted(MADE_IN_BROWSER)


def test_thing_model_has_one_language() -> None:
    """Every name has a part in each language, of which only one is left."""
    assert not re.search(r'"name": "[^"]*[^ -~]', thing_model(Language.ENGLISH))
    assert not re.search(r'"name": "[^"]*[A-Za-z]', thing_model(Language.CHINESE))


def test_thing_model_defines_everything_in_the_conversation() -> None:
    """The integration reads it too, and it defines everything bound or expected."""
    model = ThingModel.parse(THING_MODEL.read_text())
    assert ThingModel.parse(model.to_tsl()) == model
    assert EXPECTED.keys() <= model.properties.keys()
    assert {str(binding["identifier"]) for binding in SINGLE_BINDINGS.values()} <= model.properties.keys()
    assert SERVICES.keys() == model.services.keys()
    assert "ZoneLevels" in model.properties
    assert "Teleporter" not in model.properties


def test_configuration_is_new_and_listens_on_loopback_only(tmp_path: Path) -> None:
    """Nothing of an earlier run is left, and the house can't be reached from elsewhere."""
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "old.txt").touch()
    build(folder, 4711)
    assert not (folder / "old.txt").exists()
    assert (folder / "custom_components" / "aliyun_iot" / "manifest.json").is_file()
    settings = json.loads((folder / ".storage" / "http").read_text())["data"]["stable"]
    assert (settings["server_host"], settings["server_port"]) == (["127.0.0.1"], 4711)


@pytest.mark.parametrize(
    ("topic", "payload", "shown"),
    [
        (
            "/sys/a1HomeDemo1/demo-house/thing/event/property/post",
            b'{"id":"1","params":{"A":{"value":1.5,"time":9}}}',
            '…/thing/event/property/post {"A":1.5}',
        ),
        (
            "/sys/a1HomeDemo1/demo-house/thing/service/property/set_reply",
            b'{"id":"1","code":100003,"message":"no"}',
            f"…/thing/service/property/set_reply 100003 {describe(100003)} «no»",
        ),
        ("/sys/a1HomeDemo1/demo-house/thing/model/up_raw", b"\x00\xff", "…/thing/model/up_raw 0x00ff"),
        ("/elsewhere", b"[1]", "/elsewhere [1]"),
    ],
)
def test_message_is_summarized(topic: str, payload: bytes, shown: str) -> None:
    """The topic is shortened, envelope and times are left out, and a code has its meaning."""
    line = wire_line(wire_message(topic, payload), Language.ENGLISH)
    assert (line.at, line.mark, " ".join(line.text.split())) == (5.0, UP, shown)


def test_codes_are_shown_in_chinese() -> None:
    """The meanings of codes are in the language of the demo."""
    line = wire_line(wire_message("/x", b'{"code":200,"data":{}}'), Language.CHINESE)
    assert "200 成功" in line.text


def test_lines_of_both_sides_are_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    """Events of Home Assistant arrive late, and a message to it is recorded after Home Assistant has received it."""
    transcript = Transcript(Language.ENGLISH)
    transcript.step(Words("step", ""))
    transcript.add(Line(1.0, "cloud", "asks"))
    transcript.add(Line(1.2, "cloud →", "command"))
    transcript.add(Line(1.4, "← home", "answer"))
    action = HomeEvent(1.1, "call_service", {"domain": "light", "service": "turn_on", "service_data": {"entry_id": 1}})
    transcript.add_by_time(event_line(action))
    transcript.expect(False, Words("right", ""))
    printed = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    assert [words[-1] for words in printed] == ["asks", "command", "{}", "answer", "right"]
    assert transcript.failures == ["1. right"]


async def test_printed_command_lines() -> None:
    """They send the same as the conversation."""
    cloud = Cloud(0, 0, lambda _: None, Language.ENGLISH)
    command = shlex.split(cloud.curl("SetDeviceProperty", Items={"LightSwitch": 1}, Note="50 % & more"))
    assert command[:3] == ["curl", "-s", cloud.api]
    assert command[3:5] == ["-d", "Action=SetDeviceProperty"]
    assert 'Items={"LightSwitch":1}' in command
    assert command[-2:] == ["--data-urlencode", "Note=50 % & more"]
    assert cloud.secret not in " ".join(command)


def test_port_in_use_is_reported(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    socket_enabled: None,
) -> None:
    """The message has the port and the option, and nothing was started."""
    monkeypatch.setattr(demo_main, "FOLDER", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        monkeypatch.setattr(sys, "argv", ["demo", "--exit", "--port", str(port)])
        assert demo_main.main() == 1
    assert capsys.readouterr().err.startswith(f"demo: port {port} cannot be used")
    assert {path.name for path in tmp_path.iterdir()} == {"lock"}
