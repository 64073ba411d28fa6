"""Binary sensors: report only."""

from ..aspect import Aspect, Domain, Kind
from ..on_off import on_or_off
from ..says import FOUND

DOMAIN = Domain(
    name="binary_sensor",
    aspects=(
        Aspect(
            key="state",
            kind=Kind.BOOL,
            name_en="State",
            name_zh="状态",
            source=on_or_off,
            says=FOUND,
            class_identifiers={
                "battery": ("LowBatteryAlarm",),
                "battery_charging": ("ChargingState",),
                "carbon_monoxide": ("COAlarm",),
                "connectivity": ("OnlineState",),
                "door": ("ContactState", "DoorState"),
                "garage_door": ("GarageDoorState", "ContactState"),
                "gas": ("GasSensorState", "GasAlarm"),
                "moisture": ("WaterSensorState", "WaterLeakAlarm"),
                "motion": ("MotionAlarmState", "MotionState"),
                "occupancy": ("OccupancyState", "MotionAlarmState"),
                "opening": ("ContactState",),
                "plug": ("PlugState",),
                "presence": ("PresenceState", "OccupancyState"),
                "problem": ("FaultState", "Fault"),
                "running": ("RunningState",),
                "smoke": ("SmokeSensorState", "SmokeAlarm"),
                "tamper": ("TamperState", "TamperAlarm"),
                "vibration": ("VibrationAlarmState",),
                "window": ("WindowState", "ContactState"),
            },
        ),
    ),
)
