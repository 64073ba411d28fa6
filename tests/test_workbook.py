"""Lists of devices in Excel workbooks."""

import tracemalloc
from zipfile import ZIP_LZMA

import pytest

from custom_components.aliyun_iot.alink.auth import Identity
from custom_components.aliyun_iot.device_list import MAX_FILE, ListedDevice, ListError, ListFault, read_device_list
from custom_components.aliyun_iot.workbook import MAX_UNPACKED

from .workbooks import BOOK, inline, shared, workbook

PK = "a1Lamps0001"
SECRETS = ["c0ffee00c0ffee00c0ffee00c0ffee01", "c0ffee00c0ffee00c0ffee00c0ffee02"]
TWO = [ListedDevice(Identity(PK, "lamp-1"), SECRETS[0]), ListedDevice(Identity(PK, "lamp-2"), SECRETS[1])]
TABLE = [["DeviceName", "DeviceSecret", "ProductKey"], ["lamp-1", SECRETS[0], PK], ["lamp-2", SECRETS[1], PK]]


def named(value: object) -> str:
    """Return the name of a parameter: the bytes of a file differ from run to run, as it has the time in it."""
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)


@pytest.mark.parametrize(
    "content",
    [
        shared(TABLE),
        shared([["", "", ""], *TABLE]),
        workbook(inline(TABLE)),
        workbook(inline(TABLE), target="/xl/worksheets/sheet2.xml"),
        workbook(inline(TABLE).replace("<is><t>", "<v>").replace("</t></is>", "</v>").replace("inlineStr", "str")),
        workbook(inline(TABLE[1:])),
    ],
    ids=named,
)
def test_first_sheet_is_read(content: bytes) -> None:
    """With the header that the console writes, or without one."""
    assert read_device_list(content, {PK}) == TWO


def test_empty_cells_and_numbers() -> None:
    """A DeviceName may be a number for Excel; a column without a value is not the next one."""
    header = '<row r="1"><c r="A1" t="str"><v>备注名称</v></c><c r="C1" t="str"><v>DeviceName</v></c>'
    header += '<c r="AB1" t="str"><v>DeviceSecret</v></c></row>'
    row = f'<row r="9"><c r="C9"><v>1001</v></c><c r="AB9" t="str"><v>{SECRETS[0]}</v></c></row>'
    assert read_device_list(workbook(header + row), {PK}) == [ListedDevice(Identity(PK, "1001"), SECRETS[0])]
    with pytest.raises(ListError) as caught:
        read_device_list(workbook(header + row.replace(SECRETS[0], "")), {PK})
    assert (caught.value.fault, caught.value.rows) == (ListFault.NO_SECRET, ("1001",))


def test_row_at_fault_has_the_number_that_excel_shows() -> None:
    """Rows without a cell count, too."""
    with pytest.raises(ListError) as caught:
        read_device_list(shared([TABLE[0], ["", "", ""], ["not a name", SECRETS[0], PK]]), {PK})
    assert (caught.value.fault, caught.value.rows) == (ListFault.INVALID, ("5: device_name",))


BOMB = "<row/>" * (MAX_UNPACKED // 6)
LAUGHS = BOOK.replace("<workbook", '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><workbook')
GOOD = shared(TABLE)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (workbook(BOMB + "<row/>"), ListFault.TOO_LARGE),
        (workbook("<row/>", "<si><t>" + "a" * MAX_UNPACKED + "</t></si>"), ListFault.TOO_LARGE),
        (workbook("<row/>", "<si><t>" + "a" * 40_000 + "</t></si>"), ListFault.TOO_LARGE),
        (GOOD + b" " * MAX_FILE, ListFault.TOO_LARGE),
        (workbook(inline([["DeviceName", "DeviceSecret"], *([["x", SECRETS[0]]] * 2001)])), ListFault.TOO_MANY),
        (workbook(""), ListFault.EMPTY),
        (workbook("<row>"), ListFault.EXCEL),
        (workbook('<row r="x"/>'), ListFault.EXCEL),
        (workbook('<row><c r="1A"/></row>'), ListFault.EXCEL),
        (workbook('<row><c t="s"><v>7</v></c></row>'), ListFault.EXCEL),
        (workbook("", target="worksheets/sheet9.xml"), ListFault.EXCEL),
        (workbook("", book="<workbook/>"), ListFault.EXCEL),
        (workbook("", book=LAUGHS), ListFault.EXCEL),
        (workbook(inline(TABLE), method=ZIP_LZMA), ListFault.EXCEL),
        (GOOD[: len(GOOD) // 2], ListFault.EXCEL),
        (GOOD[:400].replace(GOOD[100:140], b"\xff" * 40) + GOOD[400:], ListFault.EXCEL),
        (b"PK\x03\x04 no workbook", ListFault.EXCEL),
        (b"\xd0\xcf\x11\xe0 an old workbook, or one with a password", ListFault.EXCEL),
    ],
    ids=named,
)
def test_what_is_no_list_is_refused(content: bytes, fault: ListFault) -> None:
    """With a clear error, whatever is wrong with it."""
    with pytest.raises(ListError) as caught:
        read_device_list(content, {PK})
    assert caught.value.fault is fault


def encrypted(content: bytes) -> bytes:
    """Set the flag of encryption in all headers of an archive."""
    changed = bytearray(content)
    for signature, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = changed.find(signature)
        while at >= 0:
            changed[at + flag] |= 1
            at = changed.find(signature, at + 4)
    return bytes(changed)


def test_encrypted_archive_is_refused() -> None:
    """Some programs encrypt the files in the archive."""
    with pytest.raises(ListError) as caught:
        read_device_list(encrypted(GOOD), {PK})
    assert caught.value.fault is ListFault.EXCEL


@pytest.mark.parametrize(
    "content",
    [
        workbook('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        workbook(BOMB),
        workbook("<row>" + "<c/>" * (MAX_UNPACKED // 4 - 50) + "</row>"),
        workbook("".join(f'<row><c r="BL{n}" t="s"><v>0</v></c></row>' for n in range(50_000)), "<si><t>a</t></si>"),
    ],
    ids=named,
)
def test_bomb_eats_no_memory(content: bytes) -> None:
    """A sheet that is large, or claims to be, costs little more than what is read of the file."""
    tracemalloc.start()
    try:
        with pytest.raises(ListError):
            read_device_list(content, {PK})
        assert tracemalloc.get_traced_memory()[1] < 12 * MAX_UNPACKED
    finally:
        tracemalloc.stop()
