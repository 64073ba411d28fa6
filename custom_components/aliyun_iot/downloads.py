"""Files that the options offer for download: what is too much for a dialogue, or is to be kept.

A page shows `download_link`, which carries its own signature, since a link in a browser sends no token.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import Final
from urllib.parse import quote
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from aiohttp import web
from homeassistant.components.http import KEY_HASS, HomeAssistantView, require_admin
from homeassistant.components.http.auth import async_sign_path
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .generated_model import GeneratedModel, generate
from .mapping.document.document import Document
from .mapping.document.text import write_text
from .mapping.model.modules import document_text
from .transfer import MAPPING_DOWNLOAD, mapping_document
from .words.labels import Labels

THING_MODEL_DOWNLOAD: Final = "thing_model"

LINK_LIFETIME: Final = timedelta(hours=1)
"""How long a page may stay open before its link is followed."""


@dataclass(frozen=True, slots=True)
class Download:
    """One file."""

    file_name: str
    content_type: str
    content: bytes


def _mapping(document: Document) -> Download:
    return Download("aliyun_iot_mapping.yaml", "application/yaml", write_text(document.as_dict()).encode())


def _thing_model(generated: GeneratedModel) -> Download:
    """Return the generated thing model: a JSON file, or an archive with one for each module."""
    texts = {module: document_text(document) for module, document in generated.documents().items()}
    if len(texts) == 1:
        return Download("aliyun_iot_tsl.json", "application/json", next(iter(texts.values())).encode())
    archive = BytesIO()
    with ZipFile(archive, "w", ZIP_DEFLATED) as files:
        for module, text in texts.items():
            files.writestr(ZipInfo(f"{module or 'default'}.json"), text, ZIP_DEFLATED)
    return Download("aliyun_iot_tsl.zip", "application/zip", archive.getvalue())


DOWNLOADS: Final[Mapping[str, Callable[[HomeAssistant, ConfigEntry], Callable[[], Download]]]] = {
    MAPPING_DOWNLOAD: lambda hass, entry: partial(_mapping, mapping_document(hass, entry)),
    THING_MODEL_DOWNLOAD: lambda hass, entry: partial(_thing_model, generate(hass, entry)),
}
"""What collects the content of the files, by the last part of their path. None of it is secret.

Each is called on the event loop. What it returns writes the file, which may take a second, and needs no event loop.
"""


@callback
def async_register_downloads(hass: HomeAssistant) -> None:
    """Let the files be fetched; once for all entries."""
    hass.http.register_view(DownloadView)


@callback
def download_link(labels: Labels, entry: ConfigEntry, kind: str) -> str:
    """Return a link to a file, signed for the user who asks and for `LINK_LIFETIME`.

    It opens a tab, which the browser closes again for an attachment: any other link to this Home Assistant is one to
    a page of the frontend, which would leave the form for it.
    """
    path = async_sign_path(labels.hass, f"/api/{DOMAIN}/{entry.entry_id}/{kind}", LINK_LIFETIME)
    return f'<a href="{path}" target="_blank">{labels.text("common.download")}</a>'


class DownloadView(HomeAssistantView):
    """Hands the files out to administrators."""

    url = f"/api/{DOMAIN}/{{entry_id}}/{{kind}}"
    name = f"api:{DOMAIN}:download"

    @require_admin
    async def get(self, request: web.Request, entry_id: str, kind: str) -> web.Response:
        """Return a file as an attachment, or 404 where there is none."""
        hass = request.app[KEY_HASS]
        entry = hass.config_entries.async_get_entry(entry_id)
        collect = DOWNLOADS.get(kind)
        if entry is None or entry.domain != DOMAIN or collect is None:
            return self.json_message("File not found", HTTPStatus.NOT_FOUND)
        download = await hass.async_add_executor_job(collect(hass, entry))
        return web.Response(
            body=download.content,
            content_type=download.content_type,
            headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(download.file_name)}"},
        )
