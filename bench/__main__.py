"""``python -m bench [--wakes N] [--idle SECONDS]``: every figure in one run, as a table."""

from __future__ import annotations

import argparse
import os
import platform

from bench import docker, herd, hours, idle, ledger, release, startup, step
from bench.figures import Figure


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--wakes", type=int, default=60, help="how often a service is woken")
    parser.add_argument("--idle", type=float, default=30.0, help="seconds to watch ten sleeping services")
    parser.add_argument("--starts", type=int, default=7, help="how often `up` and `--help` are started")
    parser.add_argument("--containers", type=int, default=20, help="how often a container is woken")
    parser.add_argument("--herd", type=int, default=5000, help="how many come at once")
    parser.add_argument("--rate", type=int, default=300, help="requests a second of a step of load")
    wanted = parser.parse_args()
    load = os.getloadavg()[0]
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}"
    )
    if load > 1:
        print("The machine is busy: times will be worse than they are.")
    figures: list[Figure] = []
    figures += release.measure(wanted.wakes)
    figures += startup.measure(wanted.starts)
    figures += idle.measure(wanted.idle)
    figures += docker.measure(wanted.containers)
    figures += herd.measure(wanted.herd)
    figures += step.measure(wanted.rate)
    figures += hours.measure()
    figures += ledger.measure()
    width = max(len(figure.name) for figure in figures)
    for figure in figures:
        print(f"{figure.name:<{width}}  {figure.value:>9.2f} {figure.unit:<10} {figure.aim}")


if __name__ == "__main__":
    main()
