"""Downloads that the options flow offers: the mapping and the generated thing model.

A page shows `download_link`, whose URL is signed, because a browser sends no token when it follows a link.
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
from .words.markdown import Markdown

THING_MODEL_DOWNLOAD: Final = "thing_model"

LINK_LIFETIME: Final = timedelta(hours=1)
"""How long a link stays valid after its page is shown."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file to download."""

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
"""The files by the last part of their path. None of them contains a secret.

Each value is called in the event loop and collects the content. It returns a function that writes the file; that can
take a second, and runs in the executor.
"""


@callback
def async_register_downloads(hass: HomeAssistant) -> None:
    """Register the view; it serves all entries."""
    hass.http.register_view(DownloadView)


def download_path(entry: ConfigEntry, kind: str) -> str:
    """Return the path of a file, without a signature."""
    return f"/api/{DOMAIN}/{entry.entry_id}/{kind}"


@callback
def download_link(labels: Labels, entry: ConfigEntry, kind: str) -> Markdown:
    """Return a link to a file, signed for the current user and valid for `LINK_LIFETIME`.

    The link needs a target: without one, the frontend would open the path as one of its own pages and close the form.
    The browser closes the new tab again, because the response is an attachment.
    """
    path = async_sign_path(labels.hass, download_path(entry, kind), LINK_LIFETIME)
    return Markdown(f'<a href="{path}" target="_blank">{labels.text("common.download")}</a>')


class DownloadView(HomeAssistantView):
    """Serves the files to administrators."""

    url = f"/api/{DOMAIN}/{{entry_id}}/{{kind}}"
    name = f"api:{DOMAIN}:download"

    @require_admin
    async def get(self, request: web.Request, entry_id: str, kind: str) -> web.Response:
        """Return a file as an attachment, or 404 for an unknown entry or file."""
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
