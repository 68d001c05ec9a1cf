"""A certificate authority of the tests' own, and TLS servers that show what the handshake asked for."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Authority:
    """``file`` is its own certificate; ``names`` are what handshakes asked for, in order."""

    folder: Path
    names: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = self.folder / "ca.pem"
        own = self._certificate("an authority", self._key.public_key(), None)
        self.file.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(self, *names: str) -> Path:
        """A file with a certificate for these names or addresses, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certificate("a service", key.public_key(), names)
        file = self.folder / f"{names[0]}.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return file

    def server(self, *names: str) -> ssl.SSLContext:
        """For a server that has one certificate for each of these names, and chooses by the handshake."""
        contexts = {}
        for name in names:
            contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            contexts[name].load_cert_chain(self.issue(name))

        def choose(sock: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
            self.names.append(name)
            if name in contexts:
                sock.context = contexts[name]

        contexts[names[0]].sni_callback = choose
        return contexts[names[0]]

    def _certificate(
        self, called: str, key: ec.EllipticCurvePublicKey, names: tuple[str, ...] | None
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
        )
        if names is not None:
            alternatives = x509.SubjectAlternativeName([_named(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
