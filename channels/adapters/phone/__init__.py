"""The telephone: call events of an exchange in, nothing out."""

from __future__ import annotations

from channels.adapters.phone.adapter import PhoneAdapter
from channels.adapters.phone.event import HAPPENINGS, VOICEMAIL, Event, read
from channels.adapters.phone.number import NotANumber, e164

__all__ = ["HAPPENINGS", "VOICEMAIL", "Event", "NotANumber", "PhoneAdapter", "e164", "read"]
