"""Poorwill: lets a self-hosted AI service sleep until somebody needs it."""

__version__ = "0.1.0"
