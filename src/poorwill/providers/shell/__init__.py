"""Where people's own commands run: a shell here or on another machine, and services made of scripts."""

from __future__ import annotations
