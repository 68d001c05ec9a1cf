"""What needs no engine: names, states, ports, order, options, and who did what."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from poorwill.core.model import Condition
from poorwill.errors import Permanent
from poorwill.providers.docker import address
from poorwill.providers.docker.deeds import Deeds
from poorwill.providers.docker.naming import Naming
from poorwill.providers.docker.options import ComposeOptions, ContainerOptions
from poorwill.providers.docker.order import Need, from_label, from_model, known, reversed_needs
from poorwill.providers.docker.state import Seen, ending, read


def seen(status: str = "running", **told: Any) -> Seen:
    """A container named kb, as the engine tells of it."""
    state = {"Status": status, "StartedAt": "2026-11-25T11:00:00Z", **told.pop("State", {})}
    return read({"Id": "0123456789abcdef", "Name": "/kb", "State": state, **told})


class TestState:
    def test_when_it_began_and_ended_by_the_engine_s_clock(self) -> None:
        ended = {"StartedAt": "2026-11-25T11:00:00.5Z", "FinishedAt": "2026-11-25T13:00:01.123456789+01:00"}
        over = seen("exited", State=ended)
        assert (over.since, over.until) == (1_795_604_400.5, 1_795_608_001.123456)
        assert seen("running", State=ended).until is None
        assert seen("paused", State=ended).until is None
        never = seen("created", State={"StartedAt": "0001-01-01T00:00:00Z"})
        assert (never.since, never.until) == (None, None)
        assert seen("exited", State={"StartedAt": "yesterday"}).since is None

    @pytest.mark.parametrize(
        ("status", "condition"),
        [
            ("created", Condition.ABSENT),
            ("running", Condition.RUNNING),
            ("paused", Condition.ABSENT),
            ("restarting", Condition.ABSENT),
            ("removing", Condition.STOPPING),
            ("exited", Condition.ABSENT),
            ("dead", Condition.ABSENT),
            ("hibernating", Condition.UNKNOWN),
        ],
    )
    def test_conditions(self, status: str, condition: Condition) -> None:
        assert seen(status).condition is condition

    def test_only_a_life_that_is_over_has_an_exit_code(self) -> None:
        assert seen("running").exit_code is None
        assert seen("created").exit_code is None
        assert seen("exited", State={"ExitCode": 3}).exit_code == 3

    @pytest.mark.parametrize(
        ("code", "oom", "words"),
        [
            (0, False, "exit code 0"),
            (137, False, "exit code 137: killed (signal 9)"),
            (137, True, "out of memory: the kernel ended it (exit code 137)"),
            (139, False, "exit code 139: ended by signal 11"),
            (127, False, "exit code 127: a command in it was not found"),
            (255, False, "exit code 255"),
        ],
    )
    def test_endings(self, code: int, oom: bool, words: str) -> None:
        assert ending(code, oom) == words


class TestAddress:
    def published(self, *bindings: tuple[int, str, int], **more: Any) -> Seen:
        ports = {f"{port}/tcp": [{"HostIp": ip, "HostPort": str(at)}] for port, ip, at in bindings}
        network = {"Ports": ports, "IPAddress": "172.17.0.2"}
        host = {"PortBindings": ports, **more.pop("HostConfig", {})}
        return seen(NetworkSettings=network, HostConfig=host, **more)

    def test_the_published_port(self) -> None:
        assert address.of(self.published((8000, "127.0.0.1", 32768)), None, "") == "127.0.0.1:32768"
        assert address.of(self.published((8000, "0.0.0.0", 32768)), None, "") == "127.0.0.1:32768"
        assert address.of(self.published((8000, "::1", 32768)), None, "") == "[::1]:32768"

    def test_on_another_host(self) -> None:
        assert address.of(self.published((8000, "", 32768)), None, "gpu") == "gpu:32768"
        with pytest.raises(Permanent, match="publishes port 8000 for its own host only"):
            address.of(self.published((8000, "127.0.0.1", 32768)), None, "gpu")

    def test_several_ports(self) -> None:
        two = self.published((8000, "127.0.0.1", 1000), (9000, "127.0.0.1", 1001))
        with pytest.raises(Permanent, match="kb has several ports: 8000, 9000"):
            address.check(two, None, "")
        assert address.of(two, 9000, "") == "127.0.0.1:1001"

    @pytest.mark.platform("linux")
    def test_one_that_is_not_published(self) -> None:
        exposed = self.published(Config={"ExposedPorts": {"8000/tcp": {}, "53/udp": {}}})
        assert address.of(exposed, None, "") == "172.17.0.2:8000"
        with pytest.raises(Permanent, match="port 8000 of kb is not published"):
            address.check(exposed, None, "gpu")

    def test_on_the_hosts_network(self) -> None:
        host = self.published(HostConfig={"NetworkMode": "host"})
        assert address.of(host, 8000, "") == "127.0.0.1:8000"
        with pytest.raises(Permanent, match="publishes no port"):
            address.check(host, None, "")


class TestNaming:
    def test_one(self) -> None:
        naming = Naming("kb", "s-1")
        assert naming.of_container("/kb", {}) == "s-1"
        assert naming.of_container("/kb2", {}) is None

    def test_many(self) -> None:
        numbered = Naming("chat-{number}", "s-1")
        assert numbered.of_container("/chat-2", {}) == "s-2"
        assert numbered.of_container("/chat-old", {}) is None
        assert (numbered.value("s-3"), numbered.filters()) == ("chat-3", {})
        naming = Naming("kb.{instance}", "s-1", label="role")
        assert naming.of_container("/x", {"role": "kb.s-2"}) == "s-2"
        assert naming.of_container("/x", {"role": "kbxs-2"}) is None
        assert naming.of_container("/kb.s-2", {}) is None
        assert naming.value("s-3") == "kb.s-3"


class TestOrder:
    def test_the_label(self) -> None:
        found = from_label("db:service_healthy:false,cache:service_started:true")
        assert found == (Need("db", "service_healthy"), Need("cache", "service_started"))
        assert from_label("") == ()

    def test_the_file(self) -> None:
        assert from_model(["db"]) == (Need("db"),)
        assert from_model({"db": {"condition": "service_healthy"}}) == (Need("db", "service_healthy"),)
        assert from_model(None) == ()

    def test_what_is_not_there_is_not_waited_for(self) -> None:
        assert known({"web": (Need("db"), Need("gone")), "db": ()}) == {"web": (Need("db"),), "db": ()}

    def test_circles(self) -> None:
        with pytest.raises(Permanent, match="depends_on goes in circles: a, b"):
            known({"a": (Need("b"),), "b": (Need("a"),), "c": ()})

    def test_backwards(self) -> None:
        needs = {"web": (Need("db"),), "db": ()}
        assert reversed_needs(needs) == {"web": (), "db": (Need("web"),)}


class TestDeeds:
    def events(self, deeds: Deeds, *events: str, policy: str = "no") -> None:
        for event in events:
            action, _, value = event.partition(" ")
            told = {"name": "kb", "signal": value, "exitCode": value}
            deeds.happened({"Action": action, "Actor": {"ID": "1", "Attributes": told}}, policy)

    def test_what_was_asked_for_is_no_news(self) -> None:
        notes: list[str] = []
        deeds = Deeds(notes.append)
        deeds.ask_up("1")
        self.events(deeds, "start")
        deeds.ask_down("1")
        self.events(deeds, "kill 15", "kill 9", "die 137", "stop")
        assert notes == []

    def test_an_end_after_our_stop_was_undone_is_news(self) -> None:
        notes: list[str] = []
        deeds = Deeds(notes.append)
        deeds.ask_down("1")
        self.events(deeds, "kill 15", "die 0", "stop", "start", "kill 9", "die 137")
        assert notes == [
            "somebody else started the container kb",
            "the container kb was killed (signal 9) outside Poorwill",
        ]

    def test_the_engine_goes_down(self) -> None:
        notes: list[str] = []
        deeds = Deeds(notes.append)
        self.events(deeds, "kill 15", "die 0")
        deeds.settle("the engine went away")
        assert notes == ["the container kb was ended outside Poorwill: signal 15; the engine went away"]
        deeds.settle()
        assert len(notes) == 1

    def test_docker_will_start_it_again(self) -> None:
        notes: list[str] = []
        self.events(Deeds(notes.append), "die 3", policy="on-failure")
        (note,) = notes
        assert note.startswith("the container kb ended by itself: exit code 3; Docker starts it again")


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({}, "say which container"),
            ({"container": "a", "label": "b=c"}, "say which container"),
            ({"label": "role"}, "a label such as"),
            ({"container": "a", "engine": "http://x"}, "an engine such as"),
            ({"container": "a", "stop": "freeze"}, "'stop', 'pause' or 'kill'"),
            ({"container": "a", "tls": {"ca": "a", "cert": "b", "key": "c"}}, "tls has no use without"),
        ],
    )
    def test_a_container(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(ValidationError, match=message):
            ContainerOptions.model_validate(options)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({}, "service"),
            ({"service": "web", "keep": ["web"]}, "it cannot stay up"),
            ({"service": "web", "project": "My Project"}, "a project name of small letters"),
        ],
    )
    def test_a_project(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(ValidationError, match=message):
            ComposeOptions.model_validate(options)

    def test_one_file_is_a_list_of_one(self) -> None:
        assert ComposeOptions.model_validate({"service": "web", "file": "a.yml"}).file == ("a.yml",)
