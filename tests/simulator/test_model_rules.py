"""The rules of the console for a thing model (docs/protocol.md §8, §14), and the option that insists on them."""

from collections.abc import Callable, Mapping
from copy import deepcopy
import json
from pathlib import Path
import re
import sys
from typing import Any

import pytest

from simulator import Simulator, ThingModelError
from simulator.console.cli import main
from simulator.core.jsontext import dump, parse
from simulator.core.model_rules import violations

from .conftest import KEY, NAME, SECRET


def _with_type(kind: str, specs: object) -> dict[str, Any]:
    """Return a module with one property of this type."""
    return {
        "schema": "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json",
        "profile": {"productKey": KEY},
        "properties": [
            {
                "identifier": "P",
                "name": "P",
                "accessMode": "rw",
                "required": False,
                "desc": "",
                "dataType": {"type": kind, "specs": specs},
            }
        ],
        "events": [],
        "services": [],
    }


INT_MEMBER = {"identifier": "A", "name": "A", "dataType": {"type": "int", "specs": {}}}


@pytest.mark.parametrize(
    ("kind", "specs"),
    [
        ("int", {}),
        ("int", {"min": "-2147483648", "max": "2147483647", "step": "1", "unit": "°C"}),
        ("double", {"min": "-0.5", "max": "10", "step": "0.25"}),
        ("bool", {"0": "关", "1": "开"}),
        ("enum", {"-1": "HDMI-1", "7": "电视_2"}),
        ("enum", {str(number): f"item{number}" for number in range(100)}),
        ("enum", {"0": "x" * 20, "1": "二十个汉字的标签刚好可以放进这里不多不少"}),
        ("text", {"length": "10240"}),
        ("date", {}),
        ("date", []),
        ("struct", [INT_MEMBER]),
        ("array", {"size": "512", "item": {"type": "float", "specs": {}}}),
        ("array", {"size": "1", "item": {"type": "struct", "specs": [INT_MEMBER]}}),
    ],
)
def test_legal_types(kind: str, specs: object) -> None:
    """What is at the edge of a rule is allowed."""
    assert violations(_with_type(kind, specs)) == []


@pytest.mark.parametrize(
    ("kind", "specs", "place"),
    [
        ("number", {}, "type"),
        ("int", {"min": "0", "max": "1.5"}, "specs.max"),
        ("int", {"min": "0", "max": "2147483648"}, "specs.max"),
        ("int", {"min": 0, "max": "10"}, "specs.min"),
        ("double", {"min": "0", "max": "1E308"}, "specs.max"),
        ("double", {"min": "0"}, "specs"),
        ("double", {"min": "5", "max": "5"}, "specs.min"),
        ("double", {"min": "0", "max": "5", "step": "6"}, "specs.step"),
        ("double", {"min": "0", "max": "5", "step": "0"}, "specs.step"),
        ("bool", {"1": "on"}, "specs"),
        ("bool", {"0": "on", "1": "on"}, "specs"),
        ("bool", {"0": "not on", "1": "on"}, "specs.0"),
        ("enum", {}, "specs"),
        ("enum", {str(number): f"item{number}" for number in range(101)}, "specs"),
        ("enum", {"a": "x"}, "specs.a"),
        ("enum", {"4294967296": "x"}, "specs.4294967296"),
        ("enum", {"1": "HDMI 1"}, "specs.1"),
        ("enum", {"1": "TV Tuner (DVB-T2)"}, "specs.1"),
        ("enum", {"1": "_x"}, "specs.1"),
        ("enum", {"1": "-x"}, "specs.1"),
        ("enum", {"1": ""}, "specs.1"),
        ("enum", {"1": "x" * 21}, "specs.1"),
        ("enum", {"1": "é"}, "specs.1"),
        ("enum", {"1": "same", "2": "same"}, "specs"),
        ("text", {"length": "10241"}, "specs.length"),
        ("text", {}, "specs.length"),
        ("date", {"x": 1}, "specs"),
        ("struct", [], "specs"),
        ("struct", [INT_MEMBER, INT_MEMBER], "specs"),
        ("struct", [{**INT_MEMBER, "identifier": "a b"}], "specs[0].identifier"),
        ("struct", [{**INT_MEMBER, "dataType": {"type": "struct", "specs": [INT_MEMBER]}}], "specs[0].dataType.type"),
        ("struct", [{**INT_MEMBER, "identifier": f"A{n}", "name": f"A{n}"} for n in range(51)], "specs"),
        ("array", {"size": "513", "item": {"type": "int", "specs": {}}}, "specs.size"),
        ("array", {"size": "1", "item": {"type": "bool", "specs": {"0": "a", "1": "b"}}}, "specs.item.type"),
    ],
)
def test_types_that_the_console_refuses(kind: str, specs: object, place: str) -> None:
    """The place of the violation is named."""
    assert f"properties[0].dataType.{place}" in [found.path for found in violations(_with_type(kind, specs))]


def _feature(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda module: module["properties"][0].update(changes)


def _added(kind: str, *features: Mapping[str, Any]) -> Callable[[dict[str, Any]], None]:
    return lambda module: module[kind].extend(features)


EVENT = {"identifier": "E", "name": "E", "type": "info", "outputData": []}
SERVICE = {"identifier": "S", "name": "S", "callType": "sync", "inputData": [], "outputData": []}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (_feature(identifier="P-1"), "properties[0].identifier"),
        (_feature(identifier="x" * 51), "properties[0].identifier"),
        (_feature(identifier="value"), "properties[0].identifier"),
        (_feature(name="-P"), "properties[0].name"),
        (_feature(name="x" * 31), "properties[0].name"),
        (_feature(accessMode="w"), "properties[0].accessMode"),
        (_feature(required="yes"), "properties[0].required"),
        (_feature(desc="x" * 101), "properties[0].desc"),
        (_added("events", {**EVENT, "type": "warning"}), "events[0].type"),
        (_added("events", EVENT, EVENT), "events"),
        (
            _added("events", {**EVENT, "outputData": [{**INT_MEMBER, "identifier": "p 1"}]}),
            "events[0].outputData[0].identifier",
        ),
        (
            _added(
                "services",
                {**SERVICE, "inputData": [{**INT_MEMBER, "identifier": f"A{n}", "name": f"A{n}"} for n in range(101)]},
            ),
            "services[0].inputData",
        ),
        (_added("services", {**SERVICE, "callType": ""}), "services[0].callType"),
        (_added("services", *({**SERVICE, "identifier": f"S{n}", "name": f"S{n}"} for n in range(300))), ""),
        (lambda module: module.update(profile={}), "profile.productKey"),
        (lambda module: module.update(functionBlockId="a-b", functionBlockName="模块名称"), "functionBlockId"),
        (lambda module: module.update(functionBlockId="ab", functionBlockName="ab"), "functionBlockName"),
        (lambda module: module.update(events={}), "events"),
        (lambda module: module.update(comment="x" * 262_144), ""),
    ],
)
def test_features_that_the_console_refuses(change: Callable[[dict[str, Any]], None], place: str) -> None:
    """Names, counts and sizes."""
    module = _with_type("int", {})
    assert violations(module) == []
    changed = deepcopy(module)
    change(changed)
    assert place in [found.path for found in violations(changed)]
    assert [found.path for found in violations([module, changed])] == [
        f"[1].{found.path}" if found.path else "[1]" for found in violations(changed)
    ]


@pytest.fixture
def legal(tsl: dict[str, Any]) -> Any:
    """The thing model of the home gateway without the blanks in its names."""
    return parse(re.sub(r'(?<="name": ")[^"]+', lambda name: name[0].replace(" ", "_"), json.dumps(tsl)))


def test_what_the_platform_generates_is_no_violation(legal: Any) -> None:
    """An exported file has the event `post` and the services `set` and `get`, which have reserved names."""
    assert violations(legal) == []


def test_strict_model_is_an_option(legal: Any) -> None:
    """Without it every readable thing model is taken, as a device takes it."""
    bad = _with_type("enum", {"0": "HDMI 1", "1": "HDMI 2", "2": "TV (1)", "3": "TV (2)"})
    assert Simulator().add_device(KEY, NAME, SECRET, bad).thing_model
    strict = Simulator(strict_model=True)
    assert strict.add_device(KEY, NAME, SECRET, legal).thing_model
    assert strict.add_device(KEY, "any", SECRET).thing_model is None
    with pytest.raises(ThingModelError, match=r"^properties\[0\].dataType.specs.0: \"HDMI 1\" .*; and 1 more$"):
        strict.add_device(KEY, NAME, SECRET, bad)


def test_command_line_refuses_what_the_console_refuses(
    legal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says whose thing model it is, and where."""
    file = tmp_path / "bad.json"
    file.write_text(dump(_with_type("enum", {"0": "HDMI 1"})))
    good = tmp_path / "good.json"
    good.write_text(dump(legal))
    monkeypatch.setattr(
        sys,
        "argv",
        [
            "simulator",
            "--strict-model",
            "--device",
            f"{KEY},{NAME},{SECRET},{good}",
            "--device",
            f"{KEY},gw-2,{SECRET},{file}",
        ],
    )
    with pytest.raises(SystemExit) as exit_info:
        main()
    assert exit_info.value.code == 2
    assert "thing model of gw-2: properties[0].dataType.specs.0" in capsys.readouterr().err
