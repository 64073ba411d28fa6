"""Lists of devices with their secrets: the console's export of a batch as Excel or CSV, JSON, or lines of text.

The console exports a batch as a table with the columns DeviceName, DeviceSecret and ProductKey; Excel in Chinese saves a table
as CSV in GBK. Nothing here raises an error whose text has a secret.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
import csv
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
import json
import re
from typing import Final

from .alink.auth import DeviceTriple, Identity
from .alink.errors import TripleInvalid
from .alink.sub_device import MAX_SUB_DEVICES
from .workbook import WorkbookError, WorkbookTooLarge, read_workbook

MAX_FILE: Final = 1024 * 1024
"""Bytes; 2,000 devices are 160 kB."""

_COLUMNS: Final[Mapping[str, str]] = {
    "productkey": "product_key",
    "产品key": "product_key",
    "devicename": "device_name",
    "设备名称": "device_name",
    "devicesecret": "device_secret",
    "设备密钥": "device_secret",
    "设备秘钥": "device_secret",
    "nickname": "nickname",
    "备注名称": "nickname",
    "设备备注名称": "nickname",
    "备注": "nickname",
}
"""What a column or a key holds, by its name in small letters without anything but letters."""

_SEPARATORS: Final = ",\t;|，；"
_SECRET: Final = re.compile(r"[0-9a-fA-F]{32}")
_ZIP: Final = b"PK\x03\x04"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"


type Row = tuple[int, Mapping[str, str]]
"""The number of a row, and what it says by what the columns hold."""


class ListFault(StrEnum):
    """What is wrong with a list; the value is the key of the text for it."""

    EXCEL = "list_excel"
    ENCODING = "list_encoding"
    EMPTY = "list_empty"
    UNREADABLE = "list_unreadable"
    TOO_LARGE = "list_too_large"
    TOO_MANY = "list_too_many"
    INVALID = "list_invalid"
    NO_SECRET = "list_no_secret"  # noqa: S105 - the key of a text
    DUPLICATES = "list_duplicates"
    FOREIGN_PRODUCT = "list_foreign_product"


class ListError(Exception):
    """A list that cannot be used; `rows` name the devices or lines at fault."""

    def __init__(self, fault: ListFault, rows: Iterable[str] = ()) -> None:
        """Store what is wrong."""
        super().__init__(fault.value)
        self.fault = fault
        self.rows = tuple(rows)


@dataclass(frozen=True, slots=True)
class ListedDevice:
    """One device of a list; `nickname` is the name that people gave it in the console, if the list has it."""

    identity: Identity
    secret: str = field(repr=False)
    nickname: str = ""


def read_device_list(content: bytes | str, products: Collection[str]) -> list[ListedDevice]:
    """Return the devices of a list of these products, in their order; raises ListError.

    A list without ProductKeys is about the only product, if there is only one. A large list takes long.
    """
    rows = list(islice(_rows(content), MAX_SUB_DEVICES + 1))
    if not rows:
        raise ListError(ListFault.EMPTY)
    if len(rows) > MAX_SUB_DEVICES:
        raise ListError(ListFault.TOO_MANY)
    only = next(iter(products)) if len(products) == 1 else ""
    devices: list[ListedDevice] = []
    invalid: list[str] = []
    without: list[str] = []
    for number, row in rows:
        name, secret = row.get("device_name", ""), row.get("device_secret", "").strip()
        try:
            triple = DeviceTriple.parse(row.get("product_key", "").strip() or only, name, secret or "-")
        except TripleInvalid as err:
            invalid.append(f"{number}: {err.field}")
            continue
        if not secret:  # a line whose columns are not told apart, or a secret in the wrong column, is not shown
            named = not _SECRET.fullmatch(triple.device_name)
            (without if named else invalid).append(triple.device_name if named else f"{number}: device_secret")
            continue
        identity = Identity(triple.product_key, triple.device_name)
        devices.append(ListedDevice(identity, triple.device_secret, row.get("nickname", "").strip()))
    if invalid:
        raise ListError(ListFault.INVALID, invalid)
    if without:
        raise ListError(ListFault.NO_SECRET, without)
    if foreign := sorted({device.identity.product_key for device in devices} - set(products)):
        raise ListError(ListFault.FOREIGN_PRODUCT, foreign)
    counted = Counter(device.identity for device in devices)
    if twice := [identity.device_name for identity, count in counted.items() if count > 1]:
        raise ListError(ListFault.DUPLICATES, twice)
    return devices


def _decoded(content: bytes | str) -> str:
    """Return the text of a file: UTF-8 with or without a BOM, UTF-16 with one, or GBK."""
    if isinstance(content, str):
        return content
    if content.startswith(_OLD_EXCEL):
        raise ListError(ListFault.EXCEL)
    utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise ListError(ListFault.ENCODING)


def _rows(content: bytes | str) -> Iterator[Row]:
    """Yield the rows of a list with their numbers: those of lines or of a sheet, or the positions in a JSON array."""
    if isinstance(content, bytes) and len(content) > MAX_FILE:
        raise ListError(ListFault.TOO_LARGE)
    if isinstance(content, bytes) and content.startswith(_ZIP):
        return _workbook_rows(content)
    text = _decoded(content)
    stripped = text.strip().removeprefix("\ufeff")
    if stripped[:1] in ("[", "{"):
        return _json_rows(stripped)
    return _text_rows(text.removeprefix("\ufeff"))


def _json_rows(text: str) -> Iterator[Row]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise ListError(ListFault.UNREADABLE) from err
    while isinstance(document, dict) and not any(_column(str(key)) for key in document):
        lists = [value for value in document.values() if isinstance(value, list | dict)]
        if len(lists) != 1:
            raise ListError(ListFault.UNREADABLE)
        document = lists[0]
    for number, row in enumerate([document] if isinstance(document, dict) else document, 1):
        if not isinstance(row, dict):
            raise ListError(ListFault.UNREADABLE)
        yield (
            number,
            {column: str(value) for key, value in row.items() if (column := _column(str(key))) and value is not None},
        )


def _workbook_rows(content: bytes) -> Iterator[Row]:
    try:
        return _table_rows(read_workbook(content))
    except WorkbookTooLarge as err:
        raise ListError(ListFault.TOO_LARGE) from err
    except WorkbookError as err:
        raise ListError(ListFault.EXCEL) from err


def _text_rows(text: str) -> Iterator[Row]:
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    cells = (
        csv.reader(lines, delimiter=separator, skipinitialspace=True)
        if first.count(separator)
        else (re.split(r"\s+", one) for one in lines)
    )
    try:
        yield from _table_rows(enumerate(cells, 1))
    except csv.Error as err:
        raise ListError(ListFault.UNREADABLE) from err


def _table_rows(table: Iterable[tuple[int, list[str]]]) -> Iterator[Row]:
    """Yield the rows of a table, the first of which may name the columns."""
    columns: list[str | None] | None = None
    for number, row in table:
        values = [cell.strip() for cell in row]
        if not any(values):
            continue
        if columns is None and any(map(_column, values)):
            columns = [_column(cell) for cell in values]
        elif columns:
            yield number, {name: value for name, value in zip(columns, values, strict=False) if name and value}
        else:
            yield number, _guessed([value for value in values if value])


def _guessed(values: list[str]) -> Mapping[str, str]:
    """Return a row without a header: the secret is known by its form, and the DeviceName stands before it or alone."""
    secret = next((value for value in values if _SECRET.fullmatch(value)), "")
    rest = [value for value in values if value != secret]
    names = ("product_key", "device_name", "device_secret")
    if secret and values and values[-1] != secret and len(rest) == 2:  # as the console has it
        return {"device_name": rest[0], "product_key": rest[1], "device_secret": secret}
    if len(rest) == 1:
        return {"device_name": rest[0], "device_secret": secret}
    return dict(zip(names, [*rest, secret] if secret else rest, strict=False))


def _column(name: str) -> str | None:
    return _COLUMNS.get(re.sub(r"[^a-z一-鿿]", "", name.lower()))
