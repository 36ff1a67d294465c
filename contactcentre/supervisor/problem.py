"""The one failure a person sees as a line instead of a traceback."""

from __future__ import annotations


class Problem(Exception):
    """What is wrong and what to do about it, in one line, ready to be printed."""


class Stopped(Exception):
    """Somebody asked us to stop (Ctrl-C, SIGTERM) while we were waiting for something."""
