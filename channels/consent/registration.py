"""Our app, as the network it is registered with knows it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """An app's public number and its secret. Without a secret it is a public client, which X allows."""

    client_id: str
    client_secret: str = field(default="", repr=False)
