"""The command ``hukou-opt``; one file per group of commands, light to start."""

from __future__ import annotations

from hukou_opt.cli.app import app, main

__all__ = ["app", "main"]
