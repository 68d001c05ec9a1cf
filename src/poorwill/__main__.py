"""``python -m poorwill``."""

from poorwill.cli import main

main()
