"""X (Twitter): mentions, answers and direct messages over tweepy."""

from __future__ import annotations

from channels.adapters.x.adapter import XAdapter

__all__ = ["XAdapter"]
