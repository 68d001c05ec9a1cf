"""Whose certificates are trusted: this machine's authorities, or one of the user's own."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from poorwill.config.complaint import expected
from poorwill.config.run import context
from poorwill.errors import BadInput

_CA_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS
)


def system_ca() -> str:
    """This machine's file of trusted certificates. Raises BadInput when there is none."""
    for path in (ssl.get_default_verify_paths().cafile, *_CA_FILES):
        if path and Path(path).is_file():
            return path
    raise BadInput(
        "this machine has no file with the certificates of public authorities",
        hint="install the package ca-certificates, or name a file in SSL_CERT_FILE",
    )


def _trusted(value: object, info: ValidationInfo) -> Path:
    what = "a file with certificates in PEM form, such as ./ca.pem"
    if not isinstance(value, str | Path) or not str(value).strip():
        raise expected(what)
    path = context(info).base / Path(value).expanduser()
    if not path.is_file():
        raise expected(what, "there is no such file")
    try:
        ssl.create_default_context(cafile=str(path))
    except (ssl.SSLError, OSError) as error:
        raise expected(what, f"it cannot be read as one: {error.strerror}") from None
    return path


CertificateFile = Annotated[
    Path,
    PlainValidator(_trusted),
    PlainSerializer(str, when_used="json"),
    WithJsonSchema({"type": "string"}),
]
