"""Binary sensors: report only."""

from homeassistant.components.binary_sensor import BinarySensorDeviceClass

from ..aspect import Aspect, Domain, Kind
from ..on_off import on_or_off

DOMAIN = Domain(
    name="binary_sensor",
    aspects=(
        Aspect(
            key="state",
            kind=Kind.BOOL,
            name_en="State",
            name_zh="状态",
            source=on_or_off,
            presets={
                BinarySensorDeviceClass.BATTERY: ("LowBatteryAlarm",),
                BinarySensorDeviceClass.CARBON_MONOXIDE: ("COAlarm",),
                BinarySensorDeviceClass.DOOR: ("ContactState", "DoorState"),
                BinarySensorDeviceClass.GARAGE_DOOR: ("GarageDoorState", "ContactState"),
                BinarySensorDeviceClass.GAS: ("GasSensorState", "GasAlarm"),
                BinarySensorDeviceClass.MOISTURE: ("WaterSensorState", "WaterLeakAlarm"),
                BinarySensorDeviceClass.MOTION: ("MotionAlarmState", "MotionState"),
                BinarySensorDeviceClass.OCCUPANCY: ("OccupancyState", "MotionAlarmState"),
                BinarySensorDeviceClass.OPENING: ("ContactState",),
                BinarySensorDeviceClass.PRESENCE: ("PresenceState", "OccupancyState"),
                BinarySensorDeviceClass.SMOKE: ("SmokeSensorState", "SmokeAlarm"),
                BinarySensorDeviceClass.TAMPER: ("TamperState", "TamperAlarm"),
                BinarySensorDeviceClass.VIBRATION: ("VibrationAlarmState",),
                BinarySensorDeviceClass.WINDOW: ("WindowState", "ContactState"),
            },
        ),
    ),
)
