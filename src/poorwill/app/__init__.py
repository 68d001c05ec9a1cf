"""The composition root. Gateway and control room meet here and nowhere else."""

from poorwill.app.program import Exit, Poorwill

__all__ = ["Exit", "Poorwill"]
