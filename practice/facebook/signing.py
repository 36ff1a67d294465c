"""How Facebook writes and signs what it posts to an app.

The signature is taken over the bytes as they leave, and those are Meta's own spelling of JSON: every letter beyond
ASCII as \\u00e4 and every slash as \\/ (Meta's Graph API documentation, "Webhooks", "Validating payloads"). Whoever
parses the JSON and writes it anew before checking gets another signature.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any


def written(told: Any) -> bytes:
    """Return the JSON of a webhook as Meta spells it: ASCII only, with escaped slashes. Half an emoji passes."""
    # A slash can stand in JSON's texts only, so that every one of them may be escaped.
    return json.dumps(told, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def signatures(secret: str, body: bytes) -> dict[str, str]:
    """Return the headers that prove where a body comes from: the one to check, and the older one Meta still sends."""
    key = secret.encode()
    return {
        "X-Hub-Signature": "sha1=" + hmac.new(key, body, hashlib.sha1).hexdigest(),
        "X-Hub-Signature-256": "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest(),
    }
