"""The composition root. Gateway and control room meet here and nowhere else."""

from poorwill.app.exit import Exit
from poorwill.app.program import Poorwill

__all__ = ["Exit", "Poorwill"]
