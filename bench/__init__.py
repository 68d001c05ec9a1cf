"""Figures, measured on the real program: ``make bench`` or ``python -m bench``."""
