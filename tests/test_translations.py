"""Translations: both languages are complete, and every key in the code has a text."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.aliyun_iot import const
from custom_components.aliyun_iot.alink.errors import ConnectError
from custom_components.aliyun_iot.alink.host import HostKind
from custom_components.aliyun_iot.alink.mqtt.endpoint import Transport
from custom_components.aliyun_iot.binary_sensor import SUBSCRIPTIONS_REFUSED
from custom_components.aliyun_iot.config_flow import AliyunConfigFlow
from custom_components.aliyun_iot.flows import binding_review
from custom_components.aliyun_iot.flows.event_flow import EventFlow
from custom_components.aliyun_iot.flows.options_flow import AliyunOptionsFlow
from custom_components.aliyun_iot.flows.rule_flow import RuleFlow
from custom_components.aliyun_iot.flows.subentry_flow import ExposureFlow, ServiceFlow
from custom_components.aliyun_iot.mapping.binding import Access
from custom_components.aliyun_iot.mapping.document.difference import Mode
from custom_components.aliyun_iot.mapping.document.fault import FaultKind
from custom_components.aliyun_iot.mapping.fields import Expected
from custom_components.aliyun_iot.reasons import all_reasons

from .walk import placeholders, translations

INTEGRATION = Path(const.__file__).parent
LANGUAGES = ("en", "zh-Hans")
CHINESE = re.compile("[\u4e00-\u9fff]")
URL = re.compile(r"\w+://|www\.")


def leaves(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with its path."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def texts(language: str) -> dict[str, str]:
    """Return every text of a language by path."""
    return dict(leaves(translations(language)))


def test_languages_have_the_same_keys_and_placeholders() -> None:
    """A missing text would be shown in English, or not at all."""
    english, chinese = (texts(language) for language in LANGUAGES)
    assert list(english) == list(chinese)
    assert {key: placeholders(text) for key, text in english.items()} == {
        key: placeholders(text) for key, text in chinese.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_follow_the_rules_of_home_assistant(language: str) -> None:
    """No URLs, no surrounding whitespace, no HTML, no quoted placeholders."""
    for key, text in texts(language).items():
        assert text == text.strip(), key
        assert text, key
        assert not URL.search(text), key
        assert "<" not in text, key
        assert not re.search(r"'\{|\}'", text), key


def test_chinese_texts_are_translated() -> None:
    """Only names and texts without words are the same in both languages."""
    english, chinese = (texts(language) for language in LANGUAGES)
    wordless = {key for key, text in english.items() if not re.search("[A-Za-z]", re.sub(r"\{\w+\}", "", text))}
    same = {text for key, text in english.items() if chinese[key] == text and key not in wordless}
    assert same == {"ProductKey", "DeviceName", "DeviceSecret", "ProductSecret", "AccessKey ID", "Base64", const.NAME}
    assert not [text for text in english.values() if text != const.NAME and CHINESE.search(text)]
    assert not [key for key, text in chinese.items() if not (text in same or key in wordless or CHINESE.search(text))]


def test_shared_pages_have_the_same_texts() -> None:
    """The options and the subentry flow of a rule show the same forms, and texts of the options are used elsewhere."""
    for language in LANGUAGES:
        options = translations(language)["options"]
        exposure = translations(language)["config_subentries"]["exposure"]
        assert exposure["error"].items() <= options["error"].items()
        rule = translations(language)["config_subentries"]["rule"]
        for step in ("suggestions", "preview"):
            assert options["step"][step] == rule["step"][step]
        of_products = {"invalid_product_key", "product_of_gateway"}
        assert {key: text for key, text in rule["error"].items() if key not in of_products}.items() <= options[
            "error"
        ].items()
        sub_device = translations(language)["config_subentries"]["sub_device"]["error"]
        assert all(rule["error"][key] == sub_device[key] for key in of_products)


@pytest.mark.parametrize(
    ("flow", "path"),
    [
        (AliyunConfigFlow, ("config",)),
        (AliyunOptionsFlow, ("options",)),
        (ExposureFlow, ("config_subentries", "exposure")),
        (RuleFlow, ("config_subentries", "rule")),
        (ServiceFlow, ("config_subentries", "service")),
        (EventFlow, ("config_subentries", "event")),
    ],
)
def test_every_step_has_texts_and_every_text_a_step(flow: type, path: tuple[str, ...]) -> None:
    """The steps in `without_page` show the page of another step."""
    section = translations()
    for key in path:
        section = section[key]
    own = {
        name for parent in flow.__mro__ if parent.__module__.startswith("custom_components") for name in vars(parent)
    }
    steps = {name.removeprefix("async_step_") for name in own if name.startswith("async_step_")}
    without_page = {"reauth", "thing_model_generate"}
    if flow is AliyunOptionsFlow:
        without_page |= {"account_leave", "account_made", "account_models", "account_more", "account_undone"}
        without_page |= {"bound", "guide", "overview", "select_anyway", "thing_model_fetched", "thing_model_use"}
    if flow is ServiceFlow:
        without_page.add("reconfigure")
    if flow is AliyunConfigFlow:
        # They show another page, or end.
        without_page |= {
            "account_leave",
            "account_undone",
            "account_finish",
            "preview",
        }
    if flow is RuleFlow:
        without_page.add("user")
    assert section["step"].keys() == steps - without_page


@pytest.mark.parametrize("path", ["config.step", "options.step"])
def test_titles_of_menus_have_no_placeholders(path: str) -> None:
    """The frontend does not fill them in for menus of the config and options flows."""
    steps: Any = translations("en")
    for part in path.split("."):
        steps = steps[part]
    assert [step for step, page in steps.items() if "menu_options" in page and "{" in page.get("title", "")] == []


def test_every_connect_error_has_a_text() -> None:
    """The text has the error's key, and is the same in the config flow and in the set-up.

    Refused credentials are the exception, because credentials that were stored have worked before.
    """
    keys = {error.key for error in ConnectError.__subclasses__()} - {"invalid_auth"}
    keys |= {f"invalid_{field}" for field in ("product_key", "device_name", "device_secret", "endpoint")}
    for language in LANGUAGES:
        texts = translations(language)
        for key in keys:
            assert texts["exceptions"][key]["message"] == texts["config"]["error"][key]
        assert "invalid_auth" in texts["config"]["error"].keys() & texts["exceptions"].keys()


def test_every_disconnect_reason_has_a_text() -> None:
    """They are states of the sensor's attribute."""
    reasons = set(all_reasons())
    reasons.add(SUBSCRIPTIONS_REFUSED)
    sensor = translations()["entity"]["binary_sensor"]["connected"]
    assert sensor["state_attributes"]["reason"]["state"].keys() == reasons


def test_every_problem_of_a_binding_has_a_text_and_a_field() -> None:
    """Each problem that `check` finds can be shown in the form."""
    source = (INTEGRATION / "mapping" / "check.py").read_text(encoding="utf-8")
    named = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    errors = translations()["options"]["error"]
    problems = {key for key in named if isinstance(key, str) and re.fullmatch(r"[a-z]+(_[a-z]+)+", key)} - {"entity_id"}
    assert problems == binding_review.FIELD_OF_PROBLEM.keys()
    assert problems <= errors.keys()


def test_every_exception_has_a_text_with_its_placeholders() -> None:
    """An exception without a text would show its key."""
    raised: set[str] = set()
    for path in INTEGRATION.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("misuse", "failure"):
                key = ast.literal_eval(node.args[0]) if isinstance(node.args[0], ast.Constant) else "unknown_property"
                raised.add(key)
                assert placeholders(translations()["exceptions"][key]["message"]) == {one.arg for one in node.keywords}
            if isinstance(node, ast.Call) and any(word.arg == "translation_domain" for word in node.keywords):
                words = {word.arg: word.value for word in node.keywords}
                if isinstance(words["translation_key"], ast.Constant):
                    key = str(words["translation_key"].value)
                    given = words.get("translation_placeholders")
                    names = {ast.literal_eval(name) for name in given.keys} if isinstance(given, ast.Dict) else set()
                    raised.add(key)
                    assert placeholders(translations()["exceptions"][key]["message"]) == names, key
    assert raised
    assert raised <= translations()["exceptions"].keys()


def test_every_option_of_a_selector_has_a_text() -> None:
    """Lists that the code fills are complete."""
    selectors = translations()["selector"]
    assert list(selectors["transport"]["options"]) == list(Transport)
    assert list(selectors["host_kind"]["options"]) == list(HostKind)
    assert list(selectors["access"]["options"]) == list(Access)
    assert list(selectors["import_mode"]["options"]) == list(Mode)


def test_every_fault_of_a_document_has_a_text() -> None:
    """The message combines the kind of the fault and what is expected."""
    common = translations()["common"]
    assert {key for key in common if key.startswith("fault_")} == {f"fault_{kind}" for kind in FaultKind}
    assert {key for key in common if key.startswith("expected_")} == {f"expected_{kind}" for kind in Expected}


def test_actions_are_described_completely() -> None:
    """Every action and each of its fields has a name and a description, and every action an icon."""
    described = load_yaml_dict(str(INTEGRATION / "services.yaml"))
    worded = translations()["services"]
    icons = json.loads((INTEGRATION / "icons.json").read_text(encoding="utf-8"))["services"]
    assert described.keys() == worded.keys() == icons.keys()
    for action, description in described.items():
        assert description["fields"].keys() == worded[action]["fields"].keys()
        for name, field in description["fields"].items():
            assert worded[action]["fields"][name].keys() == {"name", "description"}
            if select := field["selector"].get("select"):
                assert translations()["selector"][select["translation_key"]]["options"].keys() == set(select["options"])


@pytest.mark.parametrize(("kind", "icon"), [("triggers", "trigger"), ("conditions", "condition")])
def test_triggers_and_conditions_are_described_completely(kind: str, icon: str) -> None:
    """Each of them and each of its fields has a name and a description, and each of them an icon."""
    described = load_yaml_dict(str(INTEGRATION / f"{kind}.yaml"))
    described = {key: one for key, one in described.items() if not key.startswith(".")}
    worded = translations()[kind]
    icons = json.loads((INTEGRATION / "icons.json").read_text(encoding="utf-8"))[kind]
    assert described.keys() == worded.keys() == icons.keys()
    for key, description in described.items():
        assert icons[key].keys() == {icon}
        assert description["fields"].keys() == worded[key]["fields"].keys()
        assert all(field.keys() == {"name", "description"} for field in worded[key]["fields"].values())


@pytest.mark.parametrize("language", LANGUAGES)
async def test_one_name(hass: HomeAssistant, language: str) -> None:
    """The integration has the same name in both languages and in every place where it is searched for."""
    loaded = await async_get_translations(hass, language, "title", {const.DOMAIN})
    assert loaded == {f"component.{const.DOMAIN}.title": const.NAME}
    assert translations(language)["common"]["panel_title"] == const.NAME
    for path in (INTEGRATION / "manifest.json", INTEGRATION.parent.parent / "hacs.json"):
        assert json.loads(path.read_text(encoding="utf-8"))["name"] == const.NAME
    for path in ("README.md", "README.zh-CN.md"):
        assert (INTEGRATION.parent.parent / path).read_text(encoding="utf-8").startswith(f"# {const.NAME}\n")


@pytest.mark.parametrize("language", LANGUAGES)
def test_places_in_home_assistant_exist(language: str) -> None:
    """The developer tools have moved to the settings."""
    root = INTEGRATION.parent.parent
    pages = [path.read_text(encoding="utf-8") for path in (*root.glob("*.md"), *root.glob("docs/*.md"))]
    texts = [text for _, text in leaves(translations(language), "")]
    assert [text for text in (*texts, *pages) if re.search("(?i)developer tools|开发者工具", text)] == []


def test_one_is_not_written_as_several() -> None:
    """A number that may be 1 stands before no plural, unless there is another text for 1."""
    texts = dict(leaves(translations("en"), ""))
    several = re.compile(
        r"\{(count|number|done|properties|listed|devices|kinds|products)\} (?:[a-z-]+ )?(?!always|has|is)[a-z-]{3,}s\b"
    )
    assert [key for key, text in texts.items() if several.search(text) and f"{key}_one" not in texts] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_sections_are_not_named_as_the_directions(language: str) -> None:
    """“Report” is a direction, and how often that happens is a section."""
    texts = translations(language)
    directions = set(texts["selector"]["access"]["options"].values())
    directions |= {texts["common"][f"panel_access_{access}"] for access in ("report", "control", "both")}
    sections = texts["config_subentries"]["exposure"]["step"]["binding"]["sections"]
    assert not directions & {section["name"] for section in sections.values()}
    assert len(directions) == 3, "the page and the forms have the same words"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_home_assistant_loads_the_texts(hass: HomeAssistant, language: str) -> None:
    """Forms compose sentences from the same files."""
    for category in ("common", "options", "selector", "config_subentries"):
        loaded = await async_get_translations(hass, language, category, {const.DOMAIN})
        wanted = dict(leaves(translations(language)[category], f"component.{const.DOMAIN}.{category}."))
        assert loaded == wanted
