"""The demo house: a configuration folder of Home Assistant, made at each start."""

from datetime import UTC, datetime
import json
from pathlib import Path
import shutil

from .words import Language

PROJECT = Path(__file__).resolve().parent.parent
CONFIGURATION = Path(__file__).with_name("house.yaml")
DASHBOARD = Path(__file__).with_name("dashboard.yaml")
INTEGRATIONS = PROJECT / "custom_components"

CHINESE_NAMES = {
    "binary_sensor.hallway_motion": "走廊移动",
    "climate.living_room": "客厅空调",
    "cover.curtain": "窗帘",
    "cover.garage_door": "车库门",
    "input_boolean.hallway_motion_seen": "走廊有人",
    "input_boolean.holiday": "度假模式",
    "input_boolean.pump_running": "水泵运转",
    "input_number.heating_target": "目标温度",
    "input_number.room_humidity": "客厅的湿度",
    "input_number.room_temperature": "客厅的温度",
    "input_number.water_pressure": "水压",
    "light.desk_lamp": "台灯",
    "lock.front_door": "大门锁",
    "number.watering_time": "浇水时长",
    "script.read_meter": "抄表",
    "script.run_scene": "执行场景",
    "select.house_mode": "居家模式",
    "sensor.energy_meter": "电表",
    "sensor.living_room_humidity": "客厅湿度",
    "sensor.living_room_temperature": "客厅温度",
    "switch.coffee_machine": "咖啡机",
    "switch.garden_pump": "花园水泵",
}
"""The Chinese names of the entities in `house.yaml`, whose names are English."""


def names(language: Language) -> dict[str, str]:
    """Return the names to set after the start, by entity id."""
    return CHINESE_NAMES if language is Language.CHINESE else {}


def build(folder: Path, port: int) -> None:
    """Make a new configuration folder with the house, the integration, and a web server on loopback only."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(CONFIGURATION, folder / "configuration.yaml")
    shutil.copy(DASHBOARD, folder)
    (folder / "custom_components").symlink_to(INTEGRATIONS)
    serve_on_loopback(folder, port)
    # These steps would ask for the location, which is configured, and set up analytics and the weather from the internet.
    _store(folder, "onboarding", 4, 1, {"done": ["core_config", "analytics", "integration"]})


def serve_on_loopback(folder: Path, port: int) -> None:
    """Let the web server of a configuration folder listen on this port of 127.0.0.1 only.

    Home Assistant keeps these settings in its storage; `http:` in YAML only starts a trial period of five minutes.
    """
    _store(
        folder,
        "http",
        2,
        2,
        {
            "stable": {
                "server_host": ["127.0.0.1"],
                "server_port": port,
                "cors_allowed_origins": [],
                "login_attempts_threshold": -1,
                "ip_ban_enabled": False,
                "ssl_profile": "modern",
                "use_x_frame_options": True,
                "created_at": datetime.now(UTC).isoformat(),
                "error": None,
                "error_message": None,
            },
            "pending": None,
            "yaml_migration_done": True,
        },
    )


def _store(folder: Path, key: str, version: int, minor_version: int, data: object) -> None:
    storage = folder / ".storage"
    storage.mkdir(exist_ok=True)
    document = {"version": version, "minor_version": minor_version, "key": key, "data": data}
    (storage / key).write_text(json.dumps(document))
