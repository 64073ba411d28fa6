"""Hypothesis strategies for everything that a mapping document contains."""

from typing import Any

from hypothesis import strategies as st

# Home Assistant has to be imported first: it decides which package is imported as voluptuous.
from custom_components.aliyun_iot.mapping.binding import Access, Binding, Conversion, ServiceBinding
from custom_components.aliyun_iot.mapping.document.rules import DocumentedRule
from custom_components.aliyun_iot.mapping.event_binding import EventBinding
from custom_components.aliyun_iot.mapping.rule import EntityAspect
from custom_components.aliyun_iot.mapping.selection import Selection, Target
from custom_components.aliyun_iot.mapping.validators import RESERVED_IDENTIFIERS

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
AMOUNTS = st.floats(min_value=0, allow_infinity=False)
TEXTS = st.text(max_size=30)
IDENTIFIERS = st.from_regex(r"[A-Za-z0-9_]{1,50}(:[A-Za-z0-9_]{1,50})?", fullmatch=True).filter(
    lambda text: text.split(":")[-1] not in RESERVED_IDENTIFIERS
)
ENTITIES = st.from_regex(r"(light|sensor|climate)\.[a-z0-9]{1,20}|[0-9a-f]{32}", fullmatch=True)
ACTION = st.fixed_dictionaries(
    {
        "action": st.just("light.turn_on"),
        "data": st.dictionaries(
            st.from_regex(r"[a-z_]{1,10}", fullmatch=True),
            st.one_of(st.booleans(), st.none(), NUMBERS, st.integers(-(2**63), 2**63 - 1), st.just("12:30:00")),
            max_size=3,
        ),
    }
)
CONVERSIONS = st.builds(
    Conversion,
    scale=NUMBERS.filter(bool),
    offset=NUMBERS,
    invert=st.booleans(),
    digits=st.none() | st.integers(0, 9),
    clamp=st.booleans(),
    options=st.dictionaries(TEXTS, TEXTS | st.integers(-(2**63), 2**63 - 1), max_size=3),
    unit=TEXTS,
    template=TEXTS,
    template_back=TEXTS,
)
DETAILS: dict[str, Any] = {
    "identifier": IDENTIFIERS,
    "conversion": CONVERSIONS,
    "min_interval": AMOUNTS,
    "dead_band": AMOUNTS,
    "confirmed": st.booleans(),
}
SOURCES = TEXTS.filter(str.strip)
BINDINGS = st.lists(
    st.one_of(
        st.builds(
            Binding,
            entity=ENTITIES,
            aspect=st.sampled_from(["power", "raw_state", "亮度"]),
            access=st.sampled_from(Access),
            actions=st.lists(ACTION, max_size=2),
            **DETAILS,
        ),
        st.builds(Binding, entity=ENTITIES, aspect=st.just("attribute"), source=SOURCES, **DETAILS),
        st.builds(Binding, entity=ENTITIES | st.just(""), aspect=st.just("template"), source=SOURCES, **DETAILS),
        st.builds(
            Binding,
            entity=ENTITIES | st.just(""),
            aspect=st.just("actions"),
            access=st.just(Access.CONTROL),
            actions=st.lists(ACTION, min_size=1, max_size=2),
            **DETAILS,
        ),
    ),
    max_size=4,
    unique_by=lambda binding: binding.identifier,
)
SERVICES = st.lists(
    st.builds(ServiceBinding, IDENTIFIERS, script=st.just("script.wash"))
    | st.builds(ServiceBinding, IDENTIFIERS, st.lists(ACTION, min_size=1, max_size=2)),
    max_size=2,
    unique_by=lambda service: service.identifier,
)
EVENTS = st.lists(
    st.builds(
        EventBinding,
        IDENTIFIERS,
        entity=ENTITIES,
        output=st.dictionaries(TEXTS, TEXTS | st.integers(0, 9), max_size=2),
    )
    | st.builds(EventBinding, IDENTIFIERS, triggers=st.just([{"trigger": "event", "event_type": "烟雾"}])),
    max_size=4,
)
IDS = st.lists(st.from_regex(r"[a-z_]{1,10}", fullmatch=True), max_size=2, unique=True).map(sorted).map(tuple)
TARGETS = st.builds(
    Target,
    entity_id=st.lists(ENTITIES, max_size=2, unique=True).map(sorted).map(tuple),
    device_id=IDS,
    area_id=IDS,
    label_id=IDS,
    integration=IDS,
)
RULES = st.dictionaries(
    TEXTS,
    st.builds(
        DocumentedRule,
        st.builds(Selection, TARGETS, TARGETS, hidden_too=st.booleans(), diagnostic_too=st.booleans()),
        st.frozensets(st.builds(EntityAspect, ENTITIES, TEXTS.filter(bool)), max_size=3),
        product_key=st.sampled_from(["", "a1Lamps"]),
    ),
    max_size=2,
)
