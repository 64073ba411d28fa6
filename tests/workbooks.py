"""Excel workbooks, as small as they can be."""

from collections.abc import Iterable
from io import BytesIO
from typing import Final
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
BOOK: Final = (
    f'<?xml version="1.0" encoding="UTF-8"?><workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
    '<sheet name="批次" sheetId="4" r:id="rId2"/><sheet name="Other" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
RELATIONSHIPS: Final = (
    f'<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" Target="worksheets/sheet1.xml"/>'
    '<Relationship Id="rId2" Target="{target}"/></Relationships>'
)


def sheet(rows: str) -> str:
    """Return a sheet with these rows."""
    return f'<worksheet xmlns="{MAIN}"><dimension ref="A1:XFD1048576"/><sheetData>{rows}</sheetData></worksheet>'


def workbook(
    rows: str, strings: str = "", target: str = "worksheets/sheet2.xml", method: int = ZIP_DEFLATED, book: str = BOOK
) -> bytes:
    """Return a workbook whose first sheet, which is not the first file, has these rows."""
    file = BytesIO()
    with ZipFile(file, "w", method) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", book)
        archive.writestr("xl/_rels/workbook.xml.rels", RELATIONSHIPS.format(target=target))
        archive.writestr("xl/worksheets/sheet1.xml", sheet("<row><c><v>1</v></c></row>"))
        archive.writestr("xl/worksheets/sheet2.xml", sheet(rows))
        if strings:
            archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{strings}</sst>')
    return file.getvalue()


def shared(table: Iterable[list[str]]) -> bytes:
    """Return a workbook as Excel saves it: texts by number, in parts where they have formats, and no empty cells."""
    texts: list[str] = []
    rows = ""
    for number, row in enumerate(table, 3):
        cells = ""
        for column, text in zip("BCDEF", row, strict=False):
            if text:
                cells += f'<c r="{column}{number}" s="1" t="s"><v>{len(texts)}</v></c>'
                texts.append(text)
        rows += f'<row r="{number}" spans="2:6">{cells}</row>'
    first, *others = texts
    half = len(first) // 2
    parts = f"<r><t>{first[:half]}</t></r><r><t>{first[half:]}</t></r><rPh><t>pinyin</t></rPh>"
    strings = f"<si>{parts}</si>" + "".join(f"<si><t>{escape(text)}</t></si>" for text in others)
    return workbook(rows, strings)


def inline(table: Iterable[list[str]]) -> str:
    """Return rows with texts in their cells, without references, as other programs write them."""
    cells = ("".join(f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>' for text in row) for row in table)
    return "".join(f"<row>{row}</row>" for row in cells)
