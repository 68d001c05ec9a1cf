"""How much memory the GPUs have, told by a program named nvidia-smi."""

from __future__ import annotations

from pathlib import Path

import pytest

from poorwill.host import gpus

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (
            'echo "0, GPU-aa, 24564"; echo "1, GPU-bb, 81559"',
            {"0": 24564 * MIB, "GPU-aa": 24564 * MIB, "1": 81559 * MIB, "GPU-bb": 81559 * MIB},
        ),
        ('echo "0, GPU-aa, [N/A]"; echo "1, GPU-bb, 100"', {"1": 100 * MIB, "GPU-bb": 100 * MIB}),
        ('echo "0, GPU-aa, 24564"; exit 9', {}),
        ("echo No devices were found", {}),
        ("printf '\\377\\n'", {}),
        ("sleep 30", {}),
    ],
)
def test_what_it_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, found: dict[str, int]
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script.replace('sleep', 'exec sleep')}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(gpus, "PATIENCE", 0.5)
    assert gpus.gpu_memory() == found


def test_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus.gpu_memory() == {}
