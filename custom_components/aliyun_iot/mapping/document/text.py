"""Mapping documents as YAML text, of which only a safe subset is read.

The text may come from anywhere. Tags, which create objects, are refused, and Home Assistant's `!include` and `!secret`
with them; so are aliases, which can make a small text huge. A duplicate key is an error, where YAML would take the last
one and drop the others.
"""

import re
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from .fault import DocumentError, Fault, FaultKind

MAX_SIZE: Final = 2_000_000
"""Bytes of text: enough for more than 10,000 bindings with conversions."""

MAX_DEPTH: Final = 60
"""Levels of nesting; action sequences with nested conditions need a dozen."""

HEADER: Final = """\
# Mapping between Home Assistant and Alibaba Cloud IoT Platform (integration aliyun_iot).
# Import it on the Import page of the options of a device, or with the action aliyun_iot.import_mapping.
# It contains no device secrets. Actions are included as written: check them for codes before you share this file.
# Home Assistant 与阿里云物联网平台之间的对应关系（集成 aliyun_iot）。
# 可在设备选项的“导入”页面导入，也可使用动作 aliyun_iot.import_mapping。
# 其中没有设备密钥；动作按原样保存，转交他人前请检查是否含有密码。
"""

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG: Final = "tag:yaml.org,2002:"

_MISREAD_NUMBER: Final = re.compile(r"[-+]?0[0-9_]+|.*[:_].*")
"""Numbers that YAML 1.1 reads differently than they look: 010 is octal there, 12:30 counts sixties, 1_0 is ten."""


def read_text(text: str | bytes) -> object:
    """Return the data of a document's text, in JSON's types.

    Raises DocumentError with the line of the fault. Takes a second for the largest texts.
    """
    decoded = _decode(text)
    try:
        _require_plain_data(decoded)
        loader = _LOADER(decoded)
        try:
            node = loader.get_single_node()
            value = _value(loader, node) if node else None
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as err:
        raise DocumentError([Fault(FaultKind.NOT_TEXT)]) from err
    except yaml.MarkedYAMLError as err:
        raise DocumentError([_syntax_fault(decoded, err)]) from err
    if value is None:
        raise DocumentError([Fault(FaultKind.EMPTY)])
    return value


def write_text(document: dict[str, Any]) -> str:
    """Return a document as text that `read_text` takes; the same document always gives the same bytes."""
    body = yaml.dump(
        document, Dumper=_Dumper, allow_unicode=True, default_flow_style=False, sort_keys=False, width=2**31 - 1
    )
    return f"{HEADER}\n{body}"


def _decode(text: str | bytes) -> str:
    try:
        encoded = text.encode() if isinstance(text, str) else text
        decoded = encoded.decode("utf-8-sig")
    except UnicodeError as err:
        raise DocumentError([Fault(FaultKind.NOT_TEXT)]) from err
    if len(encoded) > MAX_SIZE:
        raise DocumentError([Fault(FaultKind.TOO_LARGE, placeholders={"size": f"{MAX_SIZE // 1_000_000} MB"})])
    return decoded


def _require_plain_data(text: str) -> None:
    """Raise DocumentError for anything but nested lists and mappings of plain values."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_LOADER):
        kind = None
        match event:
            case yaml.AliasEvent():
                kind = FaultKind.ALIAS
            case yaml.NodeEvent(anchor=str()):
                kind = FaultKind.ALIAS
            case yaml.ScalarEvent(tag=str()) | yaml.CollectionStartEvent(tag=str()):
                kind = FaultKind.TAG
            case yaml.CollectionStartEvent():
                depth += 1
                kind = FaultKind.TOO_DEEP if depth > MAX_DEPTH else None
            case yaml.CollectionEndEvent():
                depth -= 1
            case yaml.DocumentStartEvent():
                documents += 1
                kind = FaultKind.SYNTAX if documents > 1 else None
        if kind:
            raise DocumentError([_fault_at(kind, event.start_mark, getattr(event, "tag", None) or "---")])


def _value(loader: Any, node: yaml.Node) -> object:
    match node:
        case yaml.SequenceNode():
            return [_value(loader, item) for item in node.value]
        case yaml.MappingNode():
            found: dict[str, object] = {}
            for key_node, value_node in node.value:
                key = _key(key_node)
                if key in found:
                    raise DocumentError([_fault_at(FaultKind.KEY_TWICE, key_node.start_mark, key)])
                found[key] = _value(loader, value_node)
            return found
        case _:
            return _scalar(loader, node)


def _key(node: yaml.Node) -> str:
    """Return a key as it was written: on, off and numbers are strings, as in JSON."""
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    raise DocumentError([_fault_at(FaultKind.SYNTAX, node.start_mark, "[…]")])


def _scalar(loader: Any, node: yaml.Node) -> object:
    """Return a plain value. Dates and numbers that look different stay text; the field that they are for reads them."""
    tag = node.tag.removeprefix(_TAG)
    if tag in ("timestamp", "merge", "value") or (tag in ("int", "float") and _MISREAD_NUMBER.fullmatch(node.value)):
        return node.value
    try:
        return loader.construct_object(node)
    except ValueError as err:  # a number with too many digits
        raise DocumentError([_fault_at(FaultKind.SYNTAX, node.start_mark, node.value[:40])]) from err


def _fault_at(kind: FaultKind, mark: yaml.Mark, found: str) -> Fault:
    return Fault(kind, line=mark.line + 1, placeholders={"found": found})


def _syntax_fault(text: str, err: yaml.MarkedYAMLError) -> Fault:
    """Return YAML's error as a fault; most often it is a tab in the indentation."""
    for number, line in enumerate(text.splitlines(), 1):
        if "\t" in line[: len(line) - len(line.lstrip())]:
            return Fault(FaultKind.TAB, line=number)
    mark = err.problem_mark or err.context_mark
    return Fault(FaultKind.SYNTAX, line=mark.line + 1 if mark else 1, placeholders={"found": err.problem or ""})


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Writes YAML in the style of Home Assistant: lists indented below their key, multi-line text, no anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    if not text.replace("\n", "").isprintable():
        # Unicode has line breaks that YAML's writer doesn't escape unless the text is quoted.
        style = '"'
    return dumper.represent_scalar(f"{_TAG}str", text, style=style)


_Dumper.add_representer(str, _represent_text)
