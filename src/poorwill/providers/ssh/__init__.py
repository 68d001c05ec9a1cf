"""Other machines, over SSH: their shell, tunnels to them, and services that scripts start there."""

from __future__ import annotations

from poorwill.providers.ssh.options import Options
from poorwill.providers.ssh.provider import SshProvider
from poorwill.providers.ssh.target import HostKey, Target, login_at
from poorwill.providers.ssh.tunnel import Tunnel

__all__ = ["HostKey", "Options", "SshProvider", "Target", "Tunnel", "login_at"]
