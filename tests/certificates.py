"""Certificates for tests: an authority, and what it signs for processes."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chassis.identity import Identity, TlsFiles

DAY = datetime.timedelta(days=1)
LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


@dataclass(frozen=True)
class Authority:
    """Signs for processes, in a folder of its own."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls, folder: Path, name: str = "authority") -> Authority:
        """Make one."""
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _named(name)
        certificate = (
            _begun(subject, subject, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(folder, key, certificate)

    def identity(self, name: str, *, age: datetime.timedelta = DAY, token: str = "") -> Identity:
        """Sign for a process that is called `name`, `localhost` and 127.0.0.1, and replace what it had.

        Args:
            name: Its name.
            age: For how long its certificate has been valid. It is for two days.
            token: What its calls carry.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(name), x509.DNSName("localhost"), LOOPBACK])
        certificate = (
            _begun(_named(name), self.certificate.subject, key, age)
            .add_extension(names, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        cert, private = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        _replace(
            private,
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
        _replace(cert, certificate.public_bytes(serialization.Encoding.PEM))
        return Identity(TlsFiles(cert, private, self.folder / "ca.pem"), token)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, age: datetime.timedelta = DAY
) -> x509.CertificateBuilder:
    since = datetime.datetime.now(datetime.UTC) - age
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + 2 * DAY)
    )


def _replace(path: Path, content: bytes) -> None:
    """Write a file as a rotation does: at once."""
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.write_bytes(content)
    fresh.replace(path)
