"""Email: IMAP in, SMTP out."""

from __future__ import annotations

from channels.adapters.email.adapter import EmailAdapter
from channels.adapters.email.headers import mail_key
from channels.adapters.email.hosts import check_host

__all__ = ["EmailAdapter", "check_host", "mail_key"]
