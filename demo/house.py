"""The demo house: a configuration folder of Home Assistant, made at each start."""

from datetime import UTC, datetime
import json
from pathlib import Path
import shutil
from typing import cast

from .home_client import HomeClient, Json
from .words import Language, Words

PROJECT = Path(__file__).resolve().parent.parent
CONFIGURATION = Path(__file__).with_name("house.yaml")
DASHBOARD = Path(__file__).with_name("dashboard.yaml")
INTEGRATIONS = PROJECT / "custom_components"
BLUEPRINTS = PROJECT / "blueprints" / "automation" / "aliyun_iot"

MADE_IN_BROWSER = {"automations.yaml": "[]\n", "scenes.yaml": "[]\n", "scripts.yaml": "{}\n"}
"""Empty files for what the user makes in the browser."""

CHINESE_NAMES = {
    "binary_sensor.hallway_motion": "走廊移动",
    "climate.living_room": "客厅空调",
    "cover.curtain": "窗帘",
    "cover.garage_door": "车库门",
    "input_boolean.hallway_motion_seen": "走廊有人",
    "input_boolean.holiday": "度假模式",
    "input_boolean.pump_running": "水泵运转",
    "input_boolean.socket_plugged_in": "插座已插好",
    "switch.socket": "插座",
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


LABEL = Words("To the cloud", "上云")
"""A label to bind by."""

AREAS = {
    Words("Living room", "客厅"): (
        "climate.living_room",
        "cover.curtain",
        "light.desk_lamp",
        "sensor.living_room_humidity",
        "sensor.living_room_temperature",
    ),
    Words("Hallway", "走廊"): ("binary_sensor.hallway_motion", "lock.front_door", "sensor.energy_meter"),
    Words("Kitchen", "厨房"): ("switch.coffee_machine",),
    Words("Garden", "花园"): ("number.watering_time", "switch.garden_pump"),
    Words("Garage", "车库"): ("cover.garage_door",),
}
"""The areas with their entities."""

LABELED = ("light.desk_lamp", "sensor.living_room_humidity", "sensor.living_room_temperature")


async def furnish(home: HomeClient, language: Language) -> None:
    """Set the language of the browser, names, areas and a label, and dismiss notifications about missing voice parts."""
    await home.command(
        "frontend/set_user_data", key="language", value={"language": language, "number_format": "language"}
    )
    label_id = await _created(home, "label", LABEL.text(language), icon="mdi:cloud-upload")
    # Home Assistant itself makes some areas for a new owner.
    areas = cast("list[dict[str, Json]]", await home.command("config/area_registry/list"))
    existing = {str(area["name"]).casefold(): area["area_id"] for area in areas}
    changes: dict[str, dict[str, Json]] = {
        entity_id: {"name": name} for entity_id, name in CHINESE_NAMES.items() if language is Language.CHINESE
    }
    for name, entity_ids in AREAS.items():
        area_id = existing.get(name.text(language).casefold()) or await _created(home, "area", name.text(language))
        for entity_id in entity_ids:
            changes.setdefault(entity_id, {})["area_id"] = area_id
    for entity_id in LABELED:
        changes[entity_id]["labels"] = [label_id]
    # The oldest supported Home Assistant has no climate entities made of templates.
    registered = cast("list[dict[str, Json]]", await home.command("config/entity_registry/list"))
    for entity_id in changes.keys() & {str(each["entity_id"]) for each in registered}:
        await home.command("config/entity_registry/update", entity_id=entity_id, **changes[entity_id])
    await home.run_action("persistent_notification.dismiss_all", {})


async def _created(home: HomeClient, kind: str, name: str, **fields: Json) -> Json:
    created = cast("dict[str, Json]", await home.command(f"config/{kind}_registry/create", name=name, **fields))
    return created[f"{kind}_id"]


def build(folder: Path, port: int) -> None:
    """Make a new configuration folder with the house, the integration, and a web server on loopback only."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(CONFIGURATION, folder / "configuration.yaml")
    shutil.copy(DASHBOARD, folder)
    for name, content in MADE_IN_BROWSER.items():
        (folder / name).write_text(content)
    (folder / "custom_components").symlink_to(INTEGRATIONS)
    (folder / "blueprints" / "automation").mkdir(parents=True)
    (folder / "blueprints" / "automation" / "aliyun_iot").symlink_to(BLUEPRINTS)
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
