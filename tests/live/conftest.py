"""Fixtures of the stories: Home Assistant with one entity, connected to the cloud."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.const import CONF_THING_MODEL
from simulator import CloudDevice, ThingModel as CloudThingModel

from ..application import SetProperties
from ..conftest import SetUp
from .story import CloudApplication, Drive, Story, bindings_of, furnish, model_of, watch


@pytest.fixture
def drive(hass: HomeAssistant, device: CloudDevice, set_up: SetUp, set_properties: SetProperties) -> Drive:
    """Return a function that sets up the entity of a story, binds it and runs the story."""

    async def run(story: Story) -> CloudApplication:
        entity = await furnish(hass, story)
        state = hass.states.get(f"{story.domain}.{story.name}")
        assert state, f"there is no {story.domain}.{story.name}"
        model = model_of(state)
        document = model.to_tsl()
        device.thing_model = CloudThingModel.parse(document, strict_values=True)
        app = CloudApplication(hass, device, set_properties, state.entity_id, entity, model)
        await set_up(bindings_of(state), options={CONF_THING_MODEL: document})
        watch(app)
        await app.run(story)
        return app

    return run
