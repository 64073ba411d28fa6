"""Files uploaded in a form."""

from pathlib import Path

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.core import HomeAssistant


def take_upload(hass: HomeAssistant, file_id: str, at_most: int) -> bytes:
    """Return the content of an uploaded file and delete the file; blocking.

    At most `at_most + 1` bytes are read, which is enough to see that the file is too large.

    Raises FileNotFoundError if the file was read before or has expired.
    """
    try:
        with process_uploaded_file(hass, file_id) as path, Path(path).open("rb") as file:
            return file.read(at_most + 1)
    except ValueError as err:
        raise FileNotFoundError(file_id) from err
