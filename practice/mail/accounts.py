"""Whose mailbox an address is, and who may log in to it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from practice.mail.store import MailStore
from practice.people import People

#: The company one writes to.
OUR_DOMAIN = "acme.example"
OUR_NAME = "Acme"

#: Our own mailboxes with their passwords: what an admin types when connecting them, and plainly no secret.
OUR_MAILBOXES = {
    f"care@{OUR_DOMAIN}": "practice-care",
    f"returns@{OUR_DOMAIN}": "practice-returns",
}


@dataclass(frozen=True)
class Account:
    """A mailbox: its address, its password, the name of its owner, and whether it is one of ours."""

    address: str
    password: str
    name: str
    ours: bool


class Accounts:
    """Finds mailboxes by address. Everybody found here has their folders in the store."""

    def __init__(self, people: People, store: MailStore) -> None:
        self._people = people
        self._store = store

    def find(self, address: str) -> Account | None:
        """Return the mailbox that mail to this address reaches: capitals and a +tag make no difference to that."""
        bare = without_tag(address)
        if bare in OUR_MAILBOXES:
            account = Account(bare, OUR_MAILBOXES[bare], OUR_NAME, ours=True)
        else:
            person = self._people.by_mail(bare)
            if person is None:
                return None
            account = Account(person.mail, person.mail_password, person.name, ours=False)
        self._store.open_mailbox(account.address)
        return account

    def log_in(self, login: str, password: str) -> Account | None:
        """Return the mailbox when the password is right. The login is the address itself, without a tag."""
        account = self.find(login)
        if account is None or account.address != login.lower():
            return None
        return account if hmac.compare_digest(account.password.encode(), password.encode("utf-8", "replace")) else None

    def known_domain(self, address: str) -> bool:
        """Return whether somebody has a mailbox at the domain of this address."""
        domain = address.rpartition("@")[2].lower()
        return domain == OUR_DOMAIN or domain in self._people.mail_domains()


def without_tag(address: str) -> str:
    """Return the address in lower case and without what follows a plus sign (RFC 5233 subaddress)."""
    local, at, domain = address.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"
