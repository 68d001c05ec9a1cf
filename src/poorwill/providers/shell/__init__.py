"""Where people's own commands run: a shell on this host or on another machine, and services made of scripts."""

from __future__ import annotations
