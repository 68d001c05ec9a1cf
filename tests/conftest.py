"""What holds for every test: on CI nothing is skipped, and hypothesis draws the same worlds each time."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.docker_engine import DockerEngine

ON_CI = os.environ.get("CI", "").lower() in {"1", "true"}

# The machines that run this are slow and shared, so time per example says nothing.
settings.register_profile("poorwill", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("poorwill"), derandomize=True, print_blob=True)
settings.load_profile("ci" if ON_CI else "poorwill")


def _fail_instead(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"skipped on CI, where everything must run: {reason}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    wanted = [mark.args[0] for mark in item.iter_markers("platform")]
    if wanted and not any(sys.platform.startswith(name) for name in wanted):
        pytest.skip(f"for {' or '.join(wanted)} only")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    expected = hasattr(report, "wasxfail") or item.get_closest_marker("platform") is not None
    if ON_CI and report.skipped and not expected:
        _fail_instead(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if ON_CI and report.skipped:
        _fail_instead(report)
    return report


class SaidAtOnce:
    """Names each test that fails when it does: with tests side by side the dots tell of none."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            why = getattr(getattr(report.longrepr, "reprcrash", None), "message", str(report.longrepr))
            self._terminal.ensure_newline()
            self._terminal.write_line(
                f"FAILED {report.nodeid} ({report.when}) {why.partition(chr(10))[0]}", red=True
            )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(SaidAtOnce(terminal))


@pytest.fixture(scope="session")
def may_run_engines() -> None:
    """Skips what needs a Docker Engine of its own where none can run; on CI such a skip is a failure."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a Docker Engine of our own needs Linux and root")


@pytest.fixture(scope="session")
def docker_engine(may_run_engines: None) -> Iterator[DockerEngine]:
    """A Docker Engine of this run's own, shared by all tests that need one."""
    engine = DockerEngine()
    try:
        engine.create()
        yield engine
    finally:
        engine.destroy()
