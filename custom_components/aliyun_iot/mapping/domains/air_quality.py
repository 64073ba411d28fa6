"""Air quality entities, which only older integrations have: fine dust, and what else they measure. Report only.

Home Assistant states a unit for the state only, so the other measurements have none. The names are repeated here, because
they are in no constant of the oldest supported Home Assistant.
"""

from ..aspect import Aspect, Domain, Kind, WholeState
from ..attributes import has_attribute, number, number_of, own_unit


def measurement(attribute: str, name_en: str, name_zh: str, *identifiers: str) -> Aspect:
    """Return the aspect for a numeric attribute."""
    return Aspect(
        key=attribute,
        kind=Kind.NUMBER,
        name_en=name_en,
        name_zh=name_zh,
        source=number_of(attribute),
        supported=has_attribute(attribute),
        identifiers=identifiers,
    )


DOMAIN = Domain(
    name="air_quality",
    aspects=(
        Aspect(
            key="pm25",
            kind=Kind.NUMBER,
            name_en="PM2.5",
            name_zh="PM2.5 浓度",
            source=WholeState(lambda state: number(state.state)),
            unit=own_unit,
            identifiers=("PM25", "PM25Value"),
        ),
        measurement("air_quality_index", "Air quality index", "空气质量指数", "AQI"),
        measurement("particulate_matter_10", "PM10", "PM10 浓度", "PM10"),
        measurement("particulate_matter_0_1", "PM0.1", "PM0.1 浓度", "PM01"),
        measurement("carbon_dioxide", "Carbon dioxide", "二氧化碳浓度", "CO2", "CO2Value", "CO2Density"),
        measurement("carbon_monoxide", "Carbon monoxide", "一氧化碳浓度", "CO", "CODensity"),
        measurement("ozone", "Ozone", "臭氧浓度", "O3", "Ozone"),
        measurement("sulphur_dioxide", "Sulphur dioxide", "二氧化硫浓度", "SO2"),
        measurement("nitrogen_dioxide", "Nitrogen dioxide", "二氧化氮浓度", "NO2"),
        measurement("nitrogen_monoxide", "Nitrogen monoxide", "一氧化氮浓度", "NO"),
        measurement("nitrogen_oxide", "Nitrous oxide", "一氧化二氮浓度", "N2O"),
    ),
)
