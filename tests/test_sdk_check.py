"""The table of scripts/sdk-check: what is expected, what counts as failed, and what the documentation shows."""

from dataclasses import replace
import json
from pathlib import Path, PurePath
import re

import pytest

from sdk_check import gateways
from sdk_check.__main__ import PYTHON_DEVICES, main
from sdk_check.cloud import clouds
from sdk_check.environments import (
    NODE_ENVIRONMENT,
    NODE_SDK,
    PYTHON_ENVIRONMENT,
    SdkUnavailable,
    clone_node_tests,
)
from sdk_check.features import API_SDKS, CONSOLE_ONLY, DEVICE_SDKS, FEATURES, Sdk, expected, markdown
from sdk_check.node import NODE_DEVICES
from sdk_check.results import Result, Results
from simulator.openapi.actions import ACTIONS

ROOT = Path(__file__).parent.parent
CHILDREN = ROOT / "sdk_check" / "children"
CHECKED = {
    Sdk.PYTHON: CHILDREN / "python_device.py",
    Sdk.NODE: CHILDREN / "node_device.js",
    Sdk.API_V3: CHILDREN / "openapi.py",
    Sdk.API_V1: CHILDREN / "openapi.py",
}


@pytest.mark.parametrize("page", ["simulator.md", "simulator.zh-CN.md"])
def test_documentation_has_the_table(page: str) -> None:
    """In both languages, as it is checked."""
    assert markdown(chinese="zh" in page) in (ROOT / "docs" / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("sdk", Sdk)
def test_everything_that_is_expected_is_checked(sdk: Sdk) -> None:
    """A name that no child process reports would fail for ever."""
    source = CHECKED[sdk].read_text(encoding="utf-8")
    assert [name for name in expected(sdk) if f'"{name}"' not in source and f"'{name}'" not in source] == []


@pytest.mark.parametrize(("sdk", "devices"), [(Sdk.PYTHON, PYTHON_DEVICES), (Sdk.NODE, NODE_DEVICES)])
def test_devices_are_made(sdk: Sdk, devices: list[str]) -> None:
    """All that a child process connects, besides those that it registers without pre-registration."""
    source = CHECKED[sdk].read_text(encoding="utf-8")
    used = set(re.findall(r"""["']((?:py|js)-[a-z]+)["']""", source)) - {"py-new", "py-generated"}
    assert used == set(devices)


def test_actions_of_the_console_exist() -> None:
    """The list of exceptions is not stale."""
    assert ACTIONS.keys() > CONSOLE_ONLY


def _complete() -> Results:
    results = Results()
    for sdk in (Sdk.PYTHON, *API_SDKS):
        results.begin(sdk)
        for name in expected(sdk):
            results.add(sdk, name, Result(passed=True))
    return results


def test_table_of_a_run_without_failures() -> None:
    """What an SDK does not have is a dash; an SDK that was not run is no failure."""
    results = _complete()
    assert results.failures() == []
    features, actions = (part.splitlines() for part in results.table().split("\n\n"))
    assert features[0].split("  ")[0] == "feature"
    assert len(features) == len(FEATURES) + 1
    assert len(actions) == len(expected(Sdk.API_V3)) + 1
    rows = {line.split("  ")[0]: line.split()[-2:] for line in features[1:]}
    assert rows["property post"] == ["not", "run"]
    assert rows["OTA"] == ["ok", "–"]
    assert all(line.split()[-2:] == ["ok", "ok"] for line in actions[1:])


def test_what_is_not_reported_has_failed() -> None:
    """As when the process of the SDK ends early."""
    results = _complete()
    del results.outcomes[Sdk.PYTHON]["shadow"]
    assert results.failures() == [f"{Sdk.PYTHON}: shadow: not reported"]
    [line] = [line for line in results.table().splitlines() if line.startswith("shadow")]
    assert "FAIL" in line


def test_first_failure_counts() -> None:
    """Whatever comes before or after it."""
    results = _complete()
    for result in (Result(passed=False, detail="first"), Result(passed=False, detail="second"), Result(passed=True)):
        results.add(Sdk.PYTHON, "shadow", result)
    assert results.failures() == [f"{Sdk.PYTHON}: shadow: first"]


def test_failures_of_other_names_are_listed() -> None:
    """A chapter of the calls of the API that fails between two actions."""
    results = _complete()
    results.add(Sdk.API_V1, "topology", Result(passed=False, detail="1 instead of 2"))
    assert results.failures() == [f"{Sdk.API_V1}: topology: 1 instead of 2"]


def test_folder_of_tests_must_be_one(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is installed."""
    monkeypatch.setattr("sys.argv", ["sdk-check", "--all", "--node-tests", "/nonexistent"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "has no test/fixtures.js" in capsys.readouterr().err


def test_quick_part_runs_in_ci() -> None:
    """Between lint and tests."""
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert run.index("scripts/lint\n") < run.index("scripts/sdk-check\n") < run.index("scripts/test ||")


def test_environments_are_not_committed() -> None:
    """They are ignored by git."""
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    for folder in (PYTHON_ENVIRONMENT, NODE_ENVIRONMENT):
        assert any(
            PurePath(folder.name).match(pattern.rstrip("/")) for pattern in ignored if pattern.startswith(".venv")
        )


def test_tests_that_cannot_be_cloned_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is said."""
    package = tmp_path / "node_modules" / NODE_SDK
    package.mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"homepage": str(tmp_path / "nowhere")}))
    monkeypatch.setattr("sdk_check.environments.NODE_ENVIRONMENT", tmp_path)
    with pytest.raises(SdkUnavailable, match="nowhere"):
        clone_node_tests()


async def test_gateways_are_compared(socket_enabled: None) -> None:
    """A request that differs, and one that was not sent, are named; our own requests are those of our own gateway."""
    async with clouds() as running:
        result = await gateways.same_requests(running.plain)
        ours = gateways.sent_by(running.plain, gateways.OUR_GATEWAY)
    assert set(ours) == set(gateways.REQUESTS)
    assert all(request.accepted for request in ours.values())
    assert result.detail.count("not sent by the SDK") == len(gateways.REQUESTS)
    assert gateways.differences(ours, ours) == []
    login = "combine/batch_login"
    other = {**ours, login: replace(ours[login], form={"deviceList": []})}
    assert [line.split(":")[0] for line in gateways.differences(other, ours)] == [login]


def test_every_sdk_of_a_device_has_something() -> None:
    """And every feature an SDK."""
    assert set().union(*(feature.sdks for feature in FEATURES)) == set(DEVICE_SDKS)
    assert all(feature.sdks for feature in FEATURES)
    assert (
        len({feature.name for feature in FEATURES}) == len({feature.chinese for feature in FEATURES}) == len(FEATURES)
    )
