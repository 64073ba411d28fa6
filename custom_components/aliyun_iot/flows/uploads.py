"""Files that somebody chose in a form."""

from pathlib import Path

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.core import HomeAssistant


def take_upload(hass: HomeAssistant, file_id: str, at_most: int) -> bytes:
    """Return an uploaded file, of a larger one no more than shows that it is, and remove it; blocks.

    Raises FileNotFoundError when it isn't there any longer: it can be taken once.
    """
    try:
        with process_uploaded_file(hass, file_id) as path, Path(path).open("rb") as file:
            return file.read(at_most + 1)
    except ValueError as err:
        raise FileNotFoundError(file_id) from err
