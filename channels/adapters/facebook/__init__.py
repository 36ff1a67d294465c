"""Facebook: comments and visitors' posts on our Pages, and Messenger, over facebook-sdk."""

from __future__ import annotations

from channels.adapters.facebook.adapter import FacebookAdapter
from channels.adapters.facebook.webhooks import Part, split

__all__ = ["FacebookAdapter", "Part", "split"]
