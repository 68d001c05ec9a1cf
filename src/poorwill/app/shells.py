"""Where commands of what lives on a machine run: one SSH connection for each, to wherever it is now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from poorwill.config import MachineConfig
from poorwill.config.ssh import SshAccess
from poorwill.control.facts import Ask
from poorwill.errors import ProviderError, Temporary
from poorwill.providers.base import Shell
from poorwill.providers.ssh import Target, login_at

Values = Callable[[str], Mapping[str, str] | None]
"""What a machine's provider says of it (host, ssh_port …); None while it does not run."""

ASK_EVERY = 1.0
"""Seconds between two tries to log in to a machine that is starting."""

LOGIN_TIMEOUT = 10.0


class Shells:
    """One for each machine with ``ssh``. ``folder(machine)`` is private; host keys are remembered there."""

    def __init__(self, folder: Callable[[str], Path], base: Path, values: Values) -> None:
        self.folder = folder
        self._base = base
        self._values = values
        self._known: dict[str, SshAccess] = {}
        self._shells: dict[str, Shell] = {}

    def know(self, machines: Mapping[str, MachineConfig]) -> None:
        """What the configuration says; those who hold a shell log in anew where it says something else."""
        self._known.update({name: machine.ssh for name, machine in machines.items() if machine.ssh})

    def know_of(self, machine: str, access: SshAccess) -> None:
        """One that left the configuration, and may have to be looked into until all on it is asleep."""
        self._known.setdefault(machine, access)

    def knows(self, machine: str) -> bool:
        """Whether anything says how to log in to it."""
        return machine in self._known

    def of(self, machine: str) -> Shell:
        if machine not in self._shells:
            from poorwill.providers.ssh.shell import SshShell  # a slow import, for those with machines

            self._shells[machine] = SshShell(lambda: self.target(machine), self.folder(machine))
        return self._shells[machine]

    def target(self, machine: str) -> Target:
        """Where the machine is now. Raises ``Temporary`` while it is nowhere."""
        access = self._known.get(machine)
        if access is None:
            raise Temporary(f"nothing says how to log in to {machine}", hint=f"add machines.{machine}.ssh")
        values = self._values(machine)
        if values is None:
            raise Temporary(f"the machine {machine} does not run")
        host = access.host
        for name, value in values.items():
            host = host.replace(f"{{{name}}}", value)
        if "{" in host:
            raise Temporary(f"the machine {machine} does not say yet where it is: {host} is not known")
        told = values.get("ssh_port")
        return login_at(access, host, self._base, int(told) if told else None, values.get("ssh_user"))

    def answers(self, machine: str) -> Ask:
        """Returns when one can log in."""

        async def ask(failed: Callable[[str], None]) -> None:
            while True:
                try:
                    await self.of(machine).run("true", timeout=LOGIN_TIMEOUT)
                except ProviderError as error:
                    failed(f"{error} ({error.hint})" if error.hint else str(error))
                else:
                    return
                await asyncio.sleep(ASK_EVERY)

        return ask

    async def close(self) -> None:
        for shell in self._shells.values():
            await shell.close()
