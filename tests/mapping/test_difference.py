"""The changes that an import makes, and which of them need consent."""

import pytest

from custom_components.aliyun_iot.mapping.binding import Access, Binding, ServiceBinding
from custom_components.aliyun_iot.mapping.document.difference import ItemChange, Mode, difference
from custom_components.aliyun_iot.mapping.document.document import Document

LAMP = Binding("LightSwitch", "light.lamp", "power", Access.BOTH)


def test_difference() -> None:
    """Merging keeps items that are not in the document, replacing removes them."""
    kettle, cellar = Binding("Kettle", "switch.kettle", "power"), Binding("Cellar", "sensor.cellar", "value")
    dimmer = Binding("Kettle", "switch.kettle", "power", Access.BOTH)
    wash = ServiceBinding("Wash", script="script.wash")
    current = Document.of([LAMP, kettle], [wash])
    wanted = Document.of([LAMP, dimmer, cellar])
    merged = difference(current, wanted, Mode.MERGE)
    assert merged.bindings == (ItemChange("Cellar", None, cellar), ItemChange("Kettle", kettle, dimmer))
    assert (merged.services, merged.rules, merged.unchanged) == ((), (), 2)
    replaced = difference(current, wanted, Mode.REPLACE)
    assert replaced.bindings == merged.bindings
    assert (replaced.services, replaced.unchanged) == ((ItemChange("Wash", wash, None),), 1)
    for mode in Mode:
        assert not difference(current, current, mode).all


BOLT = Binding("Bolt", "lock.door", "locked", Access.BOTH, confirmed=True)
RUN = [{"action": "lock.unlock"}]


@pytest.mark.parametrize(
    ("before", "after", "risky"),
    [
        (None, BOLT, True),
        (Binding("Bolt", "lock.door", "locked"), BOLT, True),
        (Binding("Bolt", "lock.door", "locked", Access.BOTH), BOLT, True),
        (Binding("Bolt", "lock.shed", "locked", Access.BOTH, confirmed=True), BOLT, True),
        (Binding("Bolt", "lock.door", "locked", Access.CONTROL, confirmed=True), BOLT, False),
        (None, Binding("Bolt", "lock.door", "locked", confirmed=True), False),
        (None, Binding("Bolt", "lock.door", "locked", Access.BOTH), False),
        (BOLT, None, False),
        (None, Binding("Any", "", "actions", Access.CONTROL, actions=RUN), True),
        (
            Binding("Any", "", "actions", Access.CONTROL, actions=[{"action": "light.turn_on"}]),
            Binding("Any", "", "actions", Access.CONTROL, actions=RUN),
            True,
        ),
        (
            Binding("Any", "", "actions", Access.CONTROL, actions=RUN),
            Binding("Any", "", "actions", Access.CONTROL, actions=RUN, dead_band=1),
            False,
        ),
        (None, ServiceBinding("Open", RUN), True),
        (ServiceBinding("Open", RUN), None, False),
    ],
)
def test_changes_that_let_the_cloud_do_more(
    before: Binding | ServiceBinding | None, after: Binding | ServiceBinding | None, risky: bool
) -> None:
    """Only new permissions: a confirmed entity, or actions."""

    def document(item: Binding | ServiceBinding | None) -> Document:
        match item:
            case Binding():
                return Document.of([item])
            case ServiceBinding():
                return Document.of([], [item])
            case None:
                return Document()

    assert bool(difference(document(before), document(after), Mode.REPLACE).risky) is risky
