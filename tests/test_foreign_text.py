"""Text of the cloud, of a thing model or of an exception is safe wherever it is logged or shown."""

from collections.abc import Iterator
import importlib
import logging
from pathlib import Path
import pkgutil
import time

from homeassistant.data_entry_flow import FlowHandler
import pytest

import custom_components.aliyun_iot as package
from custom_components.aliyun_iot.alink.errors import (
    AlinkError,
    ConnectionLost,
    InvalidValue,
    MessageError,
    Rejected,
    ThingModelError,
)
from custom_components.aliyun_iot.alink.foreign import MAX_TEXT, Safe, logger_of, safe, safe_lines
from custom_components.aliyun_iot.alink.privacy import without_credentials
from custom_components.aliyun_iot.flows.safe_pages import SafePages
from custom_components.aliyun_iot.words.markdown import Markdown, bullets, code, escaped

from .poison import POISON, faults_of

ROOT = Path(package.__file__).parent

# The functions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("中文，标点。 and English", "中文，标点。 and English"),
        ("a\nb\r\n\tc", "a b c"),
        ("\x1b[31mred\x7f\x9b", "[31mred"),
        ("\u202egnp.exe\u2066\u200b\ufeff", "gnp.exe"),
        ("a\u2028b\u2029c\xa0d\u3000e", "a b c d e"),
        ("\ud800 \ue000", ""),
        (42, "42"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        ("\n" * 5000 + "x", "…"),
    ],
)
def test_foreign_text_becomes_one_short_line(text: object, expected: str) -> None:
    """Printable characters only, and a mark where something was cut off."""
    assert safe(text) == expected
    assert safe(safe(text)) is not None
    assert isinstance(safe(text), Safe)


def test_text_that_was_made_safe_is_not_cut_again() -> None:
    """A sentence of our own may contain several foreign texts."""
    sentence = Safe("x" * 1000)
    assert safe(sentence) is sentence
    assert len(safe(str(sentence))) == MAX_TEXT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lamp [PowerSwitch]: 21.5 °C, 50 %, -5", "Lamp [PowerSwitch]: 21.5 °C, 50 %, -5"),
        ("snake_case_name · 客厅灯（主）", "snake_case_name · 客厅灯（主）"),
        ("![x](http://evil/a.png)", "\\![x\\](http\\://evil/a.png)"),
        ("[click](javascript:1)", "[click\\](javascript:1)"),
        ("[a][b]", "[a\\][b]"),
        ("[a]: http://evil", "\\[a]: http\\://evil"),
        ("**bold** _it_ `code` ~~no~~", "\\*\\*bold\\*\\* \\_it\\_ \\`code\\` \\~\\~no\\~~"),
        ("<img src=x onerror=1>&#60;&lt;", "\\<img src=x onerror=1>\\&#60;\\&lt;"),
        ("www.evil.com me@evil.com", "www\\.evil.com me\\@evil.com"),
        ("# heading", "\\# heading"),
        ("> quote", "\\> quote"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("--- x", "\\--- x"),
        ("a \\[b](c)", "a \\\\[b\\](c)"),
    ],
)
def test_markdown_shows_foreign_text_as_it_is(text: str, expected: str) -> None:
    """Only what would be markup is escaped, since titles and errors show the same placeholders as plain text."""
    assert escaped(text) == expected
    assert escaped(escaped(text)) == expected


def test_lists_and_code_escape_their_parts() -> None:
    """Markdown of our own stays."""
    assert code("a`b") == "`a'b`"
    assert bullets(["*a*", Markdown("`b`"), POISON]).startswith("- \\*a\\*\n- `b`\n- 2026")
    assert bullets([POISON]).count("\n") == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cannot reach http://admin:hunter2@camera/snap", "cannot reach http://**@camera/snap"),
        ("url='https://u:p@10.0.0.1:80/x?token=1a2b&y=1'", "url='https://**@10.0.0.1:80/x?token=**&y=1'"),
        ("GET /x?api_key=abc&password=def", "GET /x?api_key=**&password=**"),
        ("the relay does not answer", "the relay does not answer"),
        ("user@example.com, 5 % = low", "user@example.com, 5 % = low"),
        ("rtsp://admin:p@ss@cam/1", "rtsp://**@cam/1"),
        ("http://admin:hunter/2@camera", "http://**@camera"),
        ("see http://a.b/c, mail me@example.com", "see http://a.b/c, mail me@example.com"),
        ("login failed (password=abc)", "login failed (password=**)"),
        ("token=abc, user=x", "token=** user=x"),
        ("/login#access_token=abc", "/login#access_token=**"),
        ("wifi_password='my pass word' ssid=home", "wifi_password=** ssid=home"),
        ("{'password': 'hunter2', 'user': 'x'}", "{'password': **, 'user': 'x'}"),
        ('{"apiKey": "1a2b"}', '{"apiKey": **}'),
        ("{'Authorization': 'Basic YWRtaW46eA==', 'b': 1}", "{'Authorization': '**', 'b': 1}"),
        ("Cookie: session=abcd; user=x", "Cookie: **"),
        ("X-Api-Key: 12345", "X-Api-Key: **"),
        ("401 for Bearer abc.def.ghi", "401 for Bearer **"),
        ("wrong password: hunter2 for admin", "wrong password: ** for admin"),
        ("the lock says wifi_psk : a,b!c", "the lock says wifi_psk : **"),
        ("密码：hunter2，请重试", "密码：**，请重试"),
        ("Invalid password or token", "Invalid password or token"),
        ("HotKey: wanted one of 0 (off), 1 (on)", "HotKey: wanted one of 0 (off), 1 (on)"),
    ],
)
def test_texts_lose_their_credentials(text: str, expected: str) -> None:
    """Names, passwords and keys in addresses, headers and structures."""
    assert without_credentials(text) == expected


@pytest.mark.parametrize(
    "part", ["://", "://a", "a", "key", "x-", "token='", "bearer ", "'key'  ", "secret", "secret:", f"{'a' * 120}@"]
)
def test_long_texts_are_searched_for_credentials_in_linear_time(part: str) -> None:
    """The text may be that of a device."""

    def seconds(length: int) -> float:
        text = part * (length // len(part))
        began = time.process_time()
        without_credentials(text)
        return time.process_time() - began

    assert seconds(200_000) < 40 * max(seconds(20_000), 0.001)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionLost(POISON),
        Rejected(460, POISON),
        MessageError("1", POISON, 460),
        ThingModelError(POISON, ("{found}", "{found}"), found=POISON),
        InvalidValue(POISON, lambda _: POISON, POISON, 460),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_have_safe_texts(error: AlinkError) -> None:
    """In all forms."""
    texts = [str(error), f"{error}", *(str(vars(error).get(name, "")) for name in ("message", "problem", "path"))]
    if isinstance(error, InvalidValue | ThingModelError):
        texts += [error.describe("en"), error.describe("zh-Hans")]
    assert [faults_of(text) for text in texts if faults_of(text)] == []


def test_everything_logged_is_safe(caplog: pytest.LogCaptureFixture) -> None:
    """Arguments, exceptions as arguments, and tracebacks with all their causes."""
    caplog.set_level(logging.DEBUG)
    logger = logger_of("custom_components.aliyun_iot.test")
    logger.warning("%s and %d and %s", POISON, 5, ValueError(POISON))

    def fail() -> None:
        try:
            {}[POISON]
        except KeyError as err:
            raise ValueError(POISON) from err

    try:
        fail()
    except ValueError as err:
        logger.exception("It failed")
        group = ExceptionGroup(POISON, [err, ExceptionGroup("inner", [OSError(POISON)])])
        group.add_note(POISON)
        logger.exception("All failed", exc_info=group)
    logger.error("%s", safe_lines(POISON))
    formatter = logging.Formatter("%(asctime)s %(message)s")
    lines = [formatter.format(record) for record in caplog.records]
    assert [faults_of(line) for line in lines if faults_of(line)] == []
    assert "ValueError: 2026" in lines[1]
    assert "KeyError: " in lines[1]
    assert "test_everything_logged_is_safe" in lines[1]
    assert "OSError: " in lines[2]


# The rules


def sources() -> Iterator[tuple[str, str]]:
    """Yield the modules of the integration, with their text."""
    for path in ROOT.rglob("*.py"):
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("logging.getLogger(", {"alink/foreign.py", "alink/mqtt/transport.py", "management/cloud_log.py"}),
        ("async_create_issue(", {"health/issues.py"}),
        ("translation_placeholders=", {"health/issues.py", "actions/call.py", "update.py"}),
        ("persistent_notification.", set()),
    ],
)
def test_every_way_out_is_one_function(code: str, allowed: set[str]) -> None:
    """What is logged, what becomes an issue and what becomes the text of an error passes the function that makes it safe."""
    assert {name for name, text in sources() if code in text} <= allowed


def test_every_flow_has_safe_pages() -> None:
    """So no page can forget it."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    flows = {flow for flow in _subclasses(FlowHandler) if flow.__module__.startswith(package.__name__)}
    from_issues = {flow for flow in flows if flow.__module__.endswith(".repairs")}  # they show what the issue shows
    assert len(flows - from_issues) >= 5
    assert [flow.__name__ for flow in flows - from_issues if not issubclass(flow, SafePages)] == []


def _subclasses(parent: type) -> Iterator[type]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)
