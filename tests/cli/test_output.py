from __future__ import annotations

import os
from pathlib import Path

from poorwill.cli.output import Patient


def test_a_pipe_that_nobody_reads_ends_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    pipe = os.fdopen(writer, "w")
    stream = Patient(pipe)
    for _ in range(3):
        stream.write("a line\n" * 5000)
        stream.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), writer)  # so that closing it finds no broken pipe
    pipe.close()


def test_a_full_disk_ends_nothing() -> None:
    with Path("/dev/full").open("w") as full:
        stream = Patient(full)
        stream.write("a line\n")
        stream.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())  # there is room again
        stream.flush()


def test_a_closed_file_ends_nothing(tmp_path: Path) -> None:
    file = (tmp_path / "log").open("w")
    stream = Patient(file)
    assert stream.write("one\n") == 4
    stream.flush()
    file.close()
    stream.write("two\n")
    stream.flush()
    assert (tmp_path / "log").read_text() == "one\n"
