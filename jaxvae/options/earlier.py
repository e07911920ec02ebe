"""Configs of version 0.1, one flat list of 44 options, and the default run directories named after them."""

from __future__ import annotations
