"""What went wrong with a connection, in the words of the contract."""

from __future__ import annotations

import asyncssh

from poorwill.errors import Permanent, ProviderError, Temporary
from poorwill.providers.ssh.hostkeys import HostKeys
from poorwill.providers.ssh.target import Target

UNREACHABLE = "see that the machine runs, and that host, port and the firewall are right"


def trouble(error: Exception, target: Target, keys: HostKeys) -> ProviderError:
    """``Permanent`` for what a person must change, ``Temporary`` for all that may pass."""
    match error:
        case ProviderError():
            return error
        case asyncssh.HostKeyNotVerifiable():
            return keys.refusal()
        case asyncssh.PermissionDenied():
            return Permanent(
                f"{target} does not accept us: {error.reason}",
                hint="the key must be in that user's ~/.ssh/authorized_keys there; "
                f"ssh {_words(target)} must work without a question",
            )
        case asyncssh.KeyImportError() | asyncssh.KeyEncryptionError():
            return Permanent(
                f"the key for {target} cannot be used: {error}",
                hint="a key with a passphrase must be in ssh-agent; ssh-keygen -t ed25519 makes one without",
            )
        case asyncssh.ConfigParseError():
            return Permanent(f"~/.ssh/config cannot be read: {error}", hint="correct that line")
        case FileNotFoundError() if error.filename:
            return Permanent(f"there is no {error.filename}", hint="correct key, or make one: ssh-keygen")
        case asyncssh.KeyExchangeFailed() if "host key" in str(error):
            return keys.refusal()  # it no longer has a key of the kind that is known
        case asyncssh.Error():
            return Temporary(f"the connection to {target} failed: {error.reason}", hint=UNREACHABLE)
        case TimeoutError():
            return Temporary(f"{target} does not answer", hint=UNREACHABLE)
        case _:
            return Temporary(f"{target} cannot be reached: {error}", hint=UNREACHABLE)


def _words(target: Target) -> str:
    words = ["-i", str(target.key)] if target.key else []
    words += ["-p", str(target.port)] if target.port else []
    return " ".join([*words, f"{target.user}@{target.host}" if target.user else target.host])
