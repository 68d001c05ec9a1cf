"""One service shared by the tests that only talk to it, and one to be mistreated."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from tests.demo.demo_process import DemoProcess


@pytest.fixture
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    process = DemoProcess(tmp_path_factory.mktemp("demo"))
    yield process
    process.close()


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A client of a seeded service. Its tests add documents under names of their own and take none away."""
    process = DemoProcess(tmp_path_factory.mktemp("shared"))
    try:
        with process.start("--seed") as client:
            yield client
        assert process.stop() == 0
        assert "Traceback" not in process.log()
    finally:
        process.close()
