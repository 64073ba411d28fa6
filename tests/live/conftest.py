"""What the stories share: a Home Assistant with one entity, connected to the cloud."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.const import CONF_THING_MODEL
from simulator import CloudDevice
from simulator.tsl import ThingModel as CloudThingModel

from ..application import SetProperties
from ..conftest import SetUp
from .driving import Drive, Remote, Story, bindings_of, furnish, model_of, watch


@pytest.fixture
def drive(hass: HomeAssistant, device: CloudDevice, set_up: SetUp, set_properties: SetProperties) -> Drive:
    """Return a function that sets the entity of a story up, binds it and lives through the story."""

    async def run(story: Story) -> Remote:
        entity = await furnish(hass, story)
        state = hass.states.get(f"{story.domain}.{story.name}")
        assert state, f"there is no {story.domain}.{story.name}"
        model = model_of(state)
        document = model.to_tsl()
        device.thing_model = CloudThingModel.parse(document)
        remote = Remote(hass, device, set_properties, state.entity_id, entity, model)
        await set_up(bindings_of(state), options={CONF_THING_MODEL: document})
        watch(remote)
        await remote.play(story)
        return remote

    return run
