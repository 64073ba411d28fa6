"""Sensors: a number, an option, a moment or text, depending on device class, unit and state. Report only."""

from datetime import datetime

from homeassistant.components.sensor import ATTR_OPTIONS, ATTR_STATE_CLASS, SensorDeviceClass
from homeassistant.const import (
    ATTR_UNIT_OF_MEASUREMENT,
    PERCENTAGE,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import State

from ..aspect import Aspect, Domain, Kind, Range, WholeState
from ..attributes import day, device_class, moment, number, own_unit, text, texts_of

MOMENT_CLASSES = {SensorDeviceClass.DATE, SensorDeviceClass.TIMESTAMP, SensorDeviceClass.UPTIME}
PERCENT_CLASSES = {SensorDeviceClass.BATTERY, SensorDeviceClass.HUMIDITY, SensorDeviceClass.MOISTURE}


def _kind(state: State) -> Kind | None:
    """Return the kind of the sensor's value, None while neither attributes nor state show it."""
    measured = device_class(state)
    if measured in MOMENT_CLASSES:
        return Kind.DATE
    if measured == SensorDeviceClass.ENUM:
        return Kind.ENUM
    if measured or ATTR_UNIT_OF_MEASUREMENT in state.attributes or ATTR_STATE_CLASS in state.attributes:
        return Kind.NUMBER
    if state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
        return None
    return Kind.TEXT if number(state.state) is None else Kind.NUMBER


def _moment(state: State) -> datetime | None:
    return day(state.state) if device_class(state) == SensorDeviceClass.DATE else moment(state.state)


def _range(state: State) -> Range | None:
    limited = device_class(state) in PERCENT_CLASSES and own_unit(state) == PERCENTAGE
    return Range(0, 100) if limited else None


DOMAIN = Domain(
    name="sensor",
    aspects=(
        Aspect(
            key="value",
            kind=Kind.NUMBER,
            name_en="Value",
            name_zh="数值",
            source=WholeState(lambda state: number(state.state)),
            supported=lambda state: _kind(state) in (Kind.NUMBER, None),
            range=_range,
            unit=own_unit,
            class_identifiers={
                SensorDeviceClass.ABSOLUTE_HUMIDITY: ("AbsoluteHumidity",),
                SensorDeviceClass.APPARENT_POWER: ("ApparentPower",),
                SensorDeviceClass.AQI: ("AQI",),
                SensorDeviceClass.ATMOSPHERIC_PRESSURE: ("AtmosphericPressure", "Pressure"),
                SensorDeviceClass.BATTERY: ("BatteryPercentage", "Battery", "BatteryLevel"),
                SensorDeviceClass.CO: ("CO", "CODensity"),
                SensorDeviceClass.CO2: ("CO2", "CO2Value", "CO2Density"),
                SensorDeviceClass.CONDUCTIVITY: ("Conductivity", "SoilConductivity"),
                SensorDeviceClass.CURRENT: ("Current", "RMSCurrent", "PowerCurrent"),
                SensorDeviceClass.DATA_RATE: ("DataRate",),
                SensorDeviceClass.DISTANCE: ("Distance",),
                SensorDeviceClass.ENERGY: ("EnergyTotal", "PowerConsumption", "Energy", "TotalEnergy"),
                SensorDeviceClass.ENERGY_STORAGE: ("StoredEnergy",),
                SensorDeviceClass.FREQUENCY: ("Frequency",),
                SensorDeviceClass.GAS: ("GasConsumption", "GasTotal"),
                SensorDeviceClass.HUMIDITY: ("CurrentHumidity", "RelativeHumidity", "Humidity"),
                SensorDeviceClass.ILLUMINANCE: ("LightLux", "MeasuredIlluminance", "Illuminance"),
                SensorDeviceClass.IRRADIANCE: ("SolarRadiation", "Irradiance"),
                SensorDeviceClass.MOISTURE: ("SoilMoisture", "Moisture"),
                SensorDeviceClass.NITROGEN_DIOXIDE: ("NO2",),
                SensorDeviceClass.NITROGEN_MONOXIDE: ("NO",),
                SensorDeviceClass.NITROUS_OXIDE: ("N2O",),
                SensorDeviceClass.OZONE: ("O3", "Ozone"),
                SensorDeviceClass.PH: ("PH",),
                SensorDeviceClass.PM1: ("PM1",),
                SensorDeviceClass.PM10: ("PM10",),
                SensorDeviceClass.PM25: ("PM25", "PM25Value"),
                SensorDeviceClass.PM4: ("PM4",),
                SensorDeviceClass.POWER: ("RealTimePower", "Power", "ActivePower", "PowerLoad"),
                SensorDeviceClass.POWER_FACTOR: ("PowerFactor",),
                SensorDeviceClass.PRECIPITATION: ("Rainfall", "Precipitation"),
                SensorDeviceClass.PRECIPITATION_INTENSITY: ("RainfallIntensity",),
                SensorDeviceClass.PRESSURE: ("AtmosphericPressure", "Pressure"),
                SensorDeviceClass.REACTIVE_ENERGY: ("ReactiveEnergy",),
                SensorDeviceClass.REACTIVE_POWER: ("ReactivePower",),
                SensorDeviceClass.SIGNAL_STRENGTH: ("RSSI", "WiFI_RSSI", "SignalStrength"),
                SensorDeviceClass.SOUND_PRESSURE: ("SoundDecibelValue", "Noise"),
                SensorDeviceClass.SPEED: ("Speed",),
                SensorDeviceClass.SULPHUR_DIOXIDE: ("SO2",),
                SensorDeviceClass.TEMPERATURE: ("CurrentTemperature", "Temperature"),
                SensorDeviceClass.VOLATILE_ORGANIC_COMPOUNDS: ("TVOC",),
                SensorDeviceClass.VOLATILE_ORGANIC_COMPOUNDS_PARTS: ("TVOC",),
                SensorDeviceClass.VOLUME_FLOW_RATE: ("FlowRate", "WaterFlow"),
                SensorDeviceClass.VOLTAGE: ("Voltage", "RMSVoltage", "PowerVoltage"),
                SensorDeviceClass.WATER: ("WaterConsumption", "WaterTotal"),
                SensorDeviceClass.WEIGHT: ("Weight",),
                SensorDeviceClass.WIND_DIRECTION: ("WindDirection",),
                SensorDeviceClass.WIND_SPEED: ("WindSpeed",),
            },
        ),
        Aspect(
            key="option",
            kind=Kind.ENUM,
            name_en="Option",
            name_zh="选项",
            source=lambda state: text(state.state),
            supported=lambda state: _kind(state) is Kind.ENUM,
            options=texts_of(ATTR_OPTIONS),
        ),
        Aspect(
            key="moment",
            kind=Kind.DATE,
            name_en="Moment",
            name_zh="时间",
            source=WholeState(_moment),
            supported=lambda state: _kind(state) is Kind.DATE,
        ),
        Aspect(
            key="text",
            kind=Kind.TEXT,
            name_en="Text",
            name_zh="文本",
            source=lambda state: text(state.state),
            supported=lambda state: _kind(state) in (Kind.TEXT, None),
        ),
    ),
)
