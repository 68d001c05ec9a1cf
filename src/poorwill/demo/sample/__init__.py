"""The documents that the demo begins with."""

from __future__ import annotations

from pathlib import Path


def seed(data_dir: Path) -> int:
    """Copies the samples into an empty ``documents`` folder, where the index finds them when it opens.

    Answers how many were copied: none when there is any document already. Raises OSError.
    """
    folder = data_dir / "documents"
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        return 0
    samples = sorted(Path(__file__).parent.glob("*.md"))
    for sample in samples:
        fresh = folder / f".incoming-{sample.name}"
        fresh.write_bytes(sample.read_bytes())
        fresh.replace(folder / sample.name)
    return len(samples)
