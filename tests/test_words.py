"""Names and lists in texts follow the language of the installation."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.alink.model.changes import model_changes
from custom_components.aliyun_iot.alink.model.datatypes import EnumType
from custom_components.aliyun_iot.alink.model.thing_model import ThingModel
from custom_components.aliyun_iot.mapping.aspect import Refused
from custom_components.aliyun_iot.mapping.check import Problem
from custom_components.aliyun_iot.mapping.domains import aspect_of
from custom_components.aliyun_iot.mapping.kinds.explicit import explicit_to_cloud, explicit_to_ha
from custom_components.aliyun_iot.words.labels import Labels
from custom_components.aliyun_iot.words.model_texts import changes_in_words


async def test_lists_in_chinese_have_chinese_punctuation(
    hass: HomeAssistant, thing_model_document: dict[str, Any]
) -> None:
    """Between parameters, options, details of features and names of values."""
    labels = await Labels.load(hass, "zh-Hans")
    model = ThingModel.parse(thing_model_document)
    assert all("; " not in labels.parameters(service.output) for service in model.services.values())
    assert any("；" in labels.parameters(event.output) for event in model.events.values())
    described = changes_in_words(labels, model_changes(ThingModel.parse({"properties": []}), model))
    assert "、" in described
    assert ", " not in described

    mode = aspect_of("climate.ac", "mode")
    assert mode
    problem = Problem("options_unmatched", {"options": ("off", "dry")})
    assert labels.problem(problem, mode, None)["options"] == "off、dry"
    options = {"cool": 1, "heat": 2}
    with pytest.raises(Refused) as refused:
        explicit_to_cloud("dry", mode, EnumType({1: "1"}), options)
    assert "cool、heat" in refused.value.describe("zh-Hans")
    assert "cool, heat" in refused.value.describe("en")
    with pytest.raises(Refused) as refused:
        explicit_to_ha(3, mode, EnumType({1: "a", 2: "b", 3: "c"}), options)
    assert refused.value.describe("zh-Hans") == "绑定中的对应关系包含 1、2，没有 3"


async def test_problems_name_the_entity(hass: HomeAssistant) -> None:
    """Not its id, unless it has no name."""
    hass.states.async_set("lock.front", "locked", {"friendly_name": "大门锁"})
    labels = await Labels.load(hass, "zh-Hans")
    locked = aspect_of("lock.front", "locked")
    assert locked
    problem = Problem("risky_not_confirmed", {"entity_id": "lock.front"})
    assert labels.text("options.error.risky_not_confirmed", **labels.problem(problem, locked, None)) == (
        "请确认允许云端操作 大门锁，或者选择“上报”。"
    )


async def test_one_is_not_several(hass: HomeAssistant) -> None:
    """A text that counts has another form for 1."""
    labels = await Labels.load(hass, "en")
    assert labels.counted("common.status_model", 1) == "model: 1 property"
    assert labels.counted("common.status_model", 2) == "model: 2 properties"
