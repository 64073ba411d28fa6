"""Connecting by TCP and TLS, trust, and the error class for each kind of failure."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
import errno
from pathlib import Path
import socket
import ssl
from typing import Any
from unittest.mock import AsyncMock, Mock

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID
import pytest

from custom_components.aliyun_iot.alink.errors import (
    CertificateInvalid,
    ConnectError,
    ConnectionLost,
    ConnectionRefused,
    ConnectTimeout,
    HostNotFound,
    HostUnreachable,
    TlsFailed,
)
from custom_components.aliyun_iot.alink.mqtt import sockets
from custom_components.aliyun_iot.alink.mqtt.connecting import probe
from custom_components.aliyun_iot.alink.mqtt.endpoint import Endpoint, Transport
from custom_components.aliyun_iot.alink.mqtt.sockets import ROOTS, open_socket, tls_context
from simulator import Simulator

from ..conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY
from .certificates import Authority
from .conftest import NewLink, config_for

type SecureCloud = Callable[..., Simulator]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Return a certificate authority that is not trusted."""
    return Authority(tmp_path)


@pytest.fixture
async def secure_cloud(socket_enabled: None) -> AsyncGenerator[SecureCloud]:
    """Return a function that starts a cloud with TLS."""
    async with AsyncExitStack() as stack:

        async def start(context: ssl.SSLContext) -> Simulator:
            cloud = await stack.enter_async_context(Simulator(tls=context, connects_per_minute=None))
            cloud.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
            return cloud

        yield start


async def test_private_authority_is_trusted_when_configured(
    authority: Authority, secure_cloud: SecureCloud, new_link: NewLink
) -> None:
    """The client id declares TLS."""
    cloud = await secure_cloud(authority.server_context("127.0.0.1"))
    link = new_link(config_for(cloud.port, transport=Transport.TLS, ca=authority.pem))
    await link.wait_online(30)
    assert (await link.device.request(link.device.topics.desired_get, "thing.property.desired.get", ["LightSwitch"])).ok
    assert any(b"|securemode=2," in message.payload for message in cloud.wire if message.note == "connected")


async def test_untrusted_certificate_is_refused(authority: Authority, secure_cloud: SecureCloud) -> None:
    """Its authority is unknown."""
    cloud = await secure_cloud(authority.server_context("127.0.0.1"))
    with pytest.raises(CertificateInvalid, match="unable to get local issuer certificate"):
        await probe(config_for(cloud.port, transport=Transport.TLS))


async def test_certificate_of_another_host_is_refused(authority: Authority, secure_cloud: SecureCloud) -> None:
    """Even if its authority is trusted."""
    cloud = await secure_cloud(authority.server_context("mqtt.example.com"))
    with pytest.raises(CertificateInvalid, match="IP address mismatch"):
        await probe(config_for(cloud.port, transport=Transport.TLS, ca=authority.pem))


async def test_expired_certificate_is_refused(authority: Authority, secure_cloud: SecureCloud) -> None:
    """The error has the reason."""
    cloud = await secure_cloud(authority.server_context("127.0.0.1", expired=True))
    with pytest.raises(CertificateInvalid, match="certificate has expired"):
        await probe(config_for(cloud.port, transport=Transport.TLS, ca=authority.pem))


@pytest.mark.parametrize("ca", ["", "not a certificate", "证书", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
async def test_invalid_authority_is_refused(cloud: Simulator, ca: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket that is already open is closed."""
    opened: list[socket.socket] = []
    connect = sockets.start_connection

    async def remember(*arguments: Any, **options: Any) -> socket.socket:
        opened.append(await connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(sockets, "start_connection", remember)
    with pytest.raises(CertificateInvalid, match="not a PEM certificate"):
        await probe(config_for(cloud.port, transport=Transport.TLS, ca=ca))
    assert [one.fileno() for one in opened] == [-1]


async def test_tls_to_a_plain_port_is_an_error(cloud: Simulator) -> None:
    """The host closes the connection when it reads a TLS hello."""
    with pytest.raises(TlsFailed, match="does not speak TLS"):
        await probe(config_for(cloud.port, transport=Transport.TLS))


async def test_plain_tcp_to_a_tls_port_is_an_error(authority: Authority, secure_cloud: SecureCloud) -> None:
    """The error suggests to check port and transport."""
    cloud = await secure_cloud(authority.server_context("127.0.0.1"))
    with pytest.raises(ConnectionLost, match="are port and transport right"):
        await probe(config_for(cloud.port))


async def test_closed_port_is_an_error(socket_enabled: None) -> None:
    """It differs from that of an unreachable host."""
    with pytest.raises(ConnectionRefused, match=r"nothing listens on 127\.0\.0\.1:1"):
        await probe(config_for(1))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), HostNotFound),
        (UnicodeError("label too long"), HostNotFound),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), HostUnreachable),
        (OSError("no reason given"), HostUnreachable),
        (TimeoutError("timed out"), ConnectTimeout),
    ],
)
async def test_unreachable_hosts_are_errors(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch, fault: Exception, error: type[ConnectError]
) -> None:
    """Each cause has its own class."""

    async def fail(*_arguments: object, **_options: object) -> None:
        raise fault

    monkeypatch.setattr(sockets, "start_connection", fail)
    with pytest.raises(error):
        await probe(config_for(1883))


async def test_host_that_never_answers_is_a_time_out(socket_enabled: None) -> None:
    """The time-out covers connection, handshake and login."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for transport in Transport:
            with pytest.raises(ConnectTimeout, match=f"127.0.0.1:{port} did not answer within 0.1 s"):
                await probe(config_for(port, transport=transport), timeout=0.1)
        # The handshake has the same time-out, and may be the first to end.
        with pytest.raises(ConnectTimeout, match=f"127.0.0.1:{port} did not answer within 0.01 s"):
            await open_socket(Endpoint("127.0.0.1", port), 0.01)


async def test_nagles_algorithm_is_off(cloud: Simulator) -> None:
    """Small messages are sent at once."""
    with await open_socket(Endpoint("127.0.0.1", cloud.port, Transport.TCP), 5) as opened:
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_socket_is_closed_when_it_cannot_be_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option that the system refuses is an unexpected error."""
    opened = Mock(**{"setsockopt.side_effect": OSError(errno.EINVAL, "setsockopt failed")})
    monkeypatch.setattr(sockets, "_connect", AsyncMock(return_value=opened))
    with pytest.raises(OSError, match="setsockopt failed"):
        await open_socket(Endpoint("127.0.0.1", 1), 5)
    opened.close.assert_called_once_with()


def test_closed_socket_counts_as_not_reset(socket_enabled: None) -> None:
    """The system says nothing about it."""
    sock = socket.socket()
    sock.close()
    assert not sockets.was_reset(sock)


def test_every_connection_is_verified() -> None:
    """Verification can't be disabled."""
    context = tls_context(None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # of a root of the system
def test_roots_of_the_platform() -> None:
    """Exactly the roots that the platform's ports chain to, now or as announced (docs/protocol.md §1.2)."""
    certificates = x509.load_pem_x509_certificates(ROOTS.read_bytes())
    expiry = {_title(one): one.not_valid_after_utc for one in certificates}
    assert {title: at.year for title, at in expiry.items()} == {
        "Aliyun IoT Root CA": 2053,
        "GlobalSign Root CA": 2028,
        "GlobalSign R6": 2034,
        "GlobalSign Root E46": 2046,
        "GlobalSign Root R46": 2046,
    }
    assert expiry["Aliyun IoT Root CA"].date() == datetime(2053, 7, 4, tzinfo=UTC).date()
    assert expiry["GlobalSign Root CA"].date() == datetime(2028, 1, 28, tzinfo=UTC).date()

    (aliyun,) = [one for one in certificates if _title(one) == "Aliyun IoT Root CA"]
    assert (
        aliyun.fingerprint(hashes.SHA256()).hex() == "7ca438a3976b5242d231f861499822da855831382735836b361e7e9715661676"
    )

    trusted = tls_context(None).get_ca_certs(binary_form=True)
    for one in certificates:
        assert one.issuer == one.subject
        assert any(x509.load_der_x509_certificate(der) == one for der in trusted)


def _title(certificate: x509.Certificate) -> str:
    """Return the common name, for GlobalSign's R6 the organizational unit."""

    def attribute(oid: x509.ObjectIdentifier) -> str:
        return str(next(iter(certificate.subject.get_attributes_for_oid(oid))).value)

    name = attribute(NameOID.COMMON_NAME)
    return name if name != "GlobalSign" else attribute(NameOID.ORGANIZATIONAL_UNIT_NAME).replace("Root CA - ", "")
