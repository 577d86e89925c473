"""Who this process is to the other ones: its certificate (mTLS), or a token that its calls carry.

Both are set by variables that all processes share: `INTERVIEW_TLS_CERT_FILE`, `INTERVIEW_TLS_KEY_FILE`,
`INTERVIEW_TLS_CA_FILE` and `INTERVIEW_CALL_TOKEN`. Without the first three, connections are plain.
"""

from __future__ import annotations

import functools
import logging
import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.errors import PreconditionError

logger = logging.getLogger(__name__)

CALL_TOKEN_KEY = "x-caller-token"  # noqa: S105 - a name
"""Metadata of a call: the token of the process that calls."""


@dataclass(frozen=True)
class TlsFiles:
    """PEM files: this process's certificate chain, its key, and the authority that signs for all of them."""

    cert: Path
    key: Path
    ca: Path

    def read(self) -> tuple[bytes, bytes, bytes]:
        """Return the chain, the key, and the authority's certificates.

        Raises:
            PreconditionError: One can't be read, or key and certificate don't match (`TLS_FILES_UNREADABLE`).
        """
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.cert, self.key)
            return self.cert.read_bytes(), self.key.read_bytes(), self.ca.read_bytes()
        except OSError as error:  # SSLError is one
            raise PreconditionError(
                "The certificate, its key or its authority can't be read, or the key is another one's. Check "
                "the three INTERVIEW_TLS_… variables and the files' permissions.",
                reason="TLS_FILES_UNREADABLE",
            ) from error

    def changed(self) -> tuple[tuple[int, int], ...]:
        """Return what changes when a file is replaced. Empty while one is missing."""
        try:
            stats = [path.stat() for path in (self.cert, self.key, self.ca)]
        except OSError:
            return ()
        return tuple((stat.st_mtime_ns, stat.st_ino) for stat in stats)


@dataclass(frozen=True)
class Identity:
    """Who a process is."""

    tls: TlsFiles | None = None
    token: str = field(default="", repr=False)

    def channel_credentials(self) -> grpc.ChannelCredentials | None:
        """Return what a channel shows. None for a plain one.

        They are read once: a channel that is open keeps them.

        Raises:
            PreconditionError: A file can't be read (`TLS_FILES_UNREADABLE`).
        """
        if self.tls is None:
            return None
        chain, key, authority = self.tls.read()
        return grpc.ssl_channel_credentials(authority, key, chain)

    def server_credentials(self) -> grpc.ServerCredentials | None:
        """Return what a server shows and asks for. None for a plain one.

        Files that are replaced are read again.

        Raises:
            PreconditionError: A file can't be read (`TLS_FILES_UNREADABLE`).
        """
        if self.tls is None:
            return None
        reload = _Reload(self.tls)
        return grpc.dynamic_ssl_server_credentials(
            reload.configuration(),
            reload.new_configuration,  # type: ignore[arg-type]  # None is "no change", says its docstring
            require_client_authentication=True,
        )


class _Reload:
    """Reads the files again when they were replaced. gRPC asks before every handshake."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._seen = files.changed()

    def configuration(self) -> grpc.ServerCertificateConfiguration:
        chain, key, authority = self._files.read()
        return grpc.ssl_server_certificate_configuration([(key, chain)], authority)

    def new_configuration(self) -> grpc.ServerCertificateConfiguration | None:
        """Return the new files' configuration. None where nothing has changed, or not all is there yet."""
        now = self._files.changed()
        if not now or now == self._seen:
            return None
        try:
            configuration = self.configuration()
        except PreconditionError:
            return None
        self._seen = now
        logger.info("a new certificate is used for new connections")
        return configuration


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="INTERVIEW_", extra="ignore")

    tls_cert_file: str = ""
    tls_key_file: str = ""
    tls_ca_file: str = ""
    call_token: str = ""


@functools.cache
def of_this_process() -> Identity:
    """Return this process's identity, as its environment has it.

    Raises:
        PreconditionError: One or two of the three files are named (`TLS_INCOMPLETE`).
    """
    settings = _Settings(_secrets_dir=os.environ.get("INTERVIEW_SECRETS_DIR") or None)
    names = (settings.tls_cert_file, settings.tls_key_file, settings.tls_ca_file)
    if not any(names):
        return Identity(None, settings.call_token)
    if not all(names):
        raise PreconditionError(
            "TLS needs three files: set INTERVIEW_TLS_CERT_FILE, INTERVIEW_TLS_KEY_FILE and "
            "INTERVIEW_TLS_CA_FILE, or none of them.",
            reason="TLS_INCOMPLETE",
        )
    return Identity(TlsFiles(*(Path(name) for name in names)), settings.call_token)
