"""Downloads of the mapping and of the generated thing model: access and content."""

from http import HTTPStatus
from io import BytesIO
import json
import re
import threading
from zipfile import ZipFile

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.alink.model.thing_model import ThingModel
from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.downloads import DOWNLOADS, Download
from custom_components.aliyun_iot.exposures import add_bindings
from custom_components.aliyun_iot.mapping.binding import Access, Binding

from .conftest import DEVICE_SECRET, PRODUCT_KEY
from .house import LAMP, furnish


@pytest.fixture
async def entry(hass: HomeAssistant) -> MockConfigEntry:
    """Return an entry with a bound lamp, with the integration and the frontend's API set up."""
    furnish(hass)
    for component in ("config", "file_upload", DOMAIN):
        assert await async_setup_component(hass, component, {})
    entry = MockConfigEntry(
        domain=DOMAIN, title="gw-1", data={"product_key": PRODUCT_KEY, "device_secret": DEVICE_SECRET}
    )
    entry.add_to_hass(hass)
    add_bindings(hass, entry, [Binding("LightSwitch", LAMP, "power", Access.BOTH)])
    return entry


@pytest.mark.parametrize("kind", DOWNLOADS)
async def test_only_administrators_can_download(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    hass_read_only_access_token: str,
    kind: str,
) -> None:
    """Other users and unauthenticated requests are refused, and no file contains the secret."""
    path = f"/api/aliyun_iot/{entry.entry_id}/{kind}"
    assert (await (await hass_client_no_auth()).get(path)).status == HTTPStatus.UNAUTHORIZED
    assert (await (await hass_client(hass_read_only_access_token)).get(path)).status == HTTPStatus.UNAUTHORIZED
    response = await (await hass_client()).get(path)
    assert response.status == HTTPStatus.OK
    assert re.fullmatch(r"attachment; filename\*=UTF-8''[\w.]+", response.headers["Content-Disposition"])
    content = await response.read()
    assert b"LightSwitch" in content
    assert DEVICE_SECRET.encode() not in content


@pytest.mark.parametrize("kind", DOWNLOADS)
async def test_file_is_written_in_the_executor(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    """The content is collected in the event loop; writing and compressing it can take long."""
    made_in: list[int] = []

    def made(file_name: str, content_type: str, content: bytes) -> Download:
        made_in.append(threading.get_ident())
        return Download(file_name, content_type, content)

    monkeypatch.setattr("custom_components.aliyun_iot.downloads.Download", made)
    response = await (await hass_client()).get(f"/api/aliyun_iot/{entry.entry_id}/{kind}")
    assert response.status == HTTPStatus.OK
    assert len(made_in) == 1
    assert made_in != [hass.loop_thread_id]


async def test_unknown_file_is_not_found(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """Neither are unknown entries or entries of other integrations."""
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    client = await hass_client()
    for path in (f"{other.entry_id}/thing_model", "nobody/thing_model", f"{entry.entry_id}/secret"):
        assert (await client.get(f"/api/aliyun_iot/{path}")).status == HTTPStatus.NOT_FOUND


async def test_link_of_the_page_is_signed(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """It is valid for this file only and without authentication.

    Without a target the frontend would open the path as one of its own pages and close the form.
    """
    client = await hass_client()
    url = "/api/config/config_entries/options/flow"
    page = await (await client.post(url, json={"handler": entry.entry_id})).json()
    for step in ("thing_model", "thing_model_generate"):
        page = await (await client.post(f"{url}/{page['flow_id']}", json={"next_step_id": step})).json()
    found = re.fullmatch(
        r'<a href="(\S+)" target="_blank">download the file</a>', page["description_placeholders"]["download"]
    )
    assert found
    link = found[1]
    shown = next(field for field in page["data_schema"] if field["name"] == "thing_model")

    stranger = await hass_client_no_auth()
    response = await stranger.get(link)
    assert response.status == HTTPStatus.OK
    assert (await response.text()) == shown["description"]["suggested_value"]
    assert ThingModel.parse(await response.read()).properties.keys() == {"LightSwitch"}
    assert (await stranger.get(link.replace("/thing_model?", "/mapping?"))).status == HTTPStatus.UNAUTHORIZED


async def test_modules_are_downloaded_as_an_archive(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """It contains one file per module, as the console imports them."""
    rows = []
    for number in range(310):
        hass.states.async_set(f"switch.s{number}", "on")
        rows.append(Binding(f"S{number}", f"switch.s{number}", "power"))
    add_bindings(hass, entry, rows)
    response = await (await hass_client()).get(f"/api/aliyun_iot/{entry.entry_id}/thing_model")
    assert response.content_type == "application/zip"
    with ZipFile(BytesIO(await response.read())) as archive:
        modules = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    assert {name: len(module["properties"]) for name, module in modules.items()} == {
        "default.json": 300,
        "module_2.json": 11,
    }
