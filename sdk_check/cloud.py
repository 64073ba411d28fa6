"""The simulators that the SDKs are run against: one without and one with TLS."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import hashlib
import ipaddress
import json
from pathlib import Path
import ssl
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from simulator import AccessKey, NodeType, Simulator
from simulator.core.uploads import Upload

from .environments import ROOT
from .features import API_SDKS

TSL = ROOT / "tests" / "fixtures" / "tsl-home-gateway.json"
GENERATED_TSL = ROOT / "tests" / "fixtures" / "tsl-generated.json"
"""Checked by tests/mapping/test_generate.py."""
PRODUCT_KEY, SECRET = "a1HomeGw001", "0123456789abcdef0123456789abcdef"
SUB_KEY, SUB_SECRET = "a1SubLamp01", "fedcba9876543210fedcba9876543210"
PRODUCT_SECRET = "productsecret016"  # noqa: S105 - of the simulator
ACCESS_KEY = AccessKey("LTAI5tSimulator", "simulator-secret-0123456789abc")
AUTH_HOST = "iot-auth.cn-shanghai.aliyuncs.com"
SUB_DEVICES = 6


@dataclass(frozen=True, slots=True)
class Clouds:
    """Running simulators, and the certificate of the one with TLS."""

    plain: Simulator
    tls: Simulator
    signed: Simulator
    """Without TLS, and with an AccessKey."""
    certificate: Path
    folder: Path

    def add_devices(self, names: Iterable[str], prefix: str) -> None:
        """Add devices to both, and sub-devices to the one without TLS."""
        for cloud in (self.plain, self.tls):
            for name in names:
                cloud.add_device(PRODUCT_KEY, name, SECRET)
        for number in range(1, SUB_DEVICES + 1):
            self.plain.add_device(SUB_KEY, f"{prefix}-sub-{number}", SUB_SECRET)

    def write_config(self) -> Path:
        """Return a file with what a child process needs."""
        config = {
            "product_key": PRODUCT_KEY,
            "secret": SECRET,
            "product_secret": PRODUCT_SECRET,
            "sub_key": SUB_KEY,
            "sub_secret": SUB_SECRET,
            "tsl": str(TSL),
            "generated_tsl": str(GENERATED_TSL),
            "certificate": str(self.certificate),
            "access_key": {"id": ACCESS_KEY.id, "secret": ACCESS_KEY.secret},
            "plain": _addresses(self.plain),
            "tls": _addresses(self.tls),
            "signed": _addresses(self.signed) | self._prepare_files(),
        }
        path = self.folder / "config.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        return path

    def _prepare_files(self) -> dict[str, str | int]:
        """Return what the API is asked for that no application can make: uploaded files, and a firmware in a storage."""
        uploader = self.signed.add_device(PRODUCT_KEY, "uploader", SECRET)
        for number in range(len(API_SDKS)):
            file = Upload(f"log-{number}.txt", None, None, "", complete=True)
            file.content += b"a line"
            uploader.uploads.add(file)
        return {
            "uploader": uploader.device_name,
            "firmware_url": "https://127.0.0.1/firmware.bin",
            "firmware_size": 8,
            "firmware_md5": hashlib.md5(b"firmware", usedforsecurity=False).hexdigest(),
        }


def _addresses(cloud: Simulator) -> dict[str, str | int]:
    return {"port": cloud.port, "web_port": cloud.web_port, "api": f"http://{cloud.host}:{cloud.api_port}/"}


@asynccontextmanager
async def clouds() -> AsyncIterator[Clouds]:
    """Run both simulators for the duration of the context."""
    tsl = json.loads(TSL.read_text(encoding="utf-8"))
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="sdk-check-")))
        certificate, context = _certificate(folder)
        plain = Simulator(connects_per_minute=None, logins_per_second=None)
        tls = Simulator(connects_per_minute=None, tls=context)
        signed = Simulator(connects_per_minute=None, access_key=ACCESS_KEY)
        for cloud in (plain, tls, signed):
            cloud.add_product(
                PRODUCT_KEY,
                tsl,
                secret=PRODUCT_SECRET,
                node_type=NodeType.GATEWAY,
                dynamic_registration=True,
            )
            cloud.add_product(SUB_KEY, tsl, secret=PRODUCT_SECRET, dynamic_registration=True)
            await stack.enter_async_context(cloud)
        plain.add_device(PRODUCT_KEY, "py-generated", SECRET, json.loads(GENERATED_TSL.read_text(encoding="utf-8")))
        yield Clouds(plain, tls, signed, certificate, folder)


def _certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate for loopback and for the registration service, to which SDKs connect by a fixed name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulator")])
    now = datetime.now(UTC)
    hosts = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost"), x509.DNSName(AUTH_HOST)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*paths)
    return paths[0], context
