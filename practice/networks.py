"""All practice networks. A new one is a package that offers a Network, and a line here."""

from __future__ import annotations

from practice.facebook.network import FacebookNetwork
from practice.mail.network import MailNetwork
from practice.network import Network
from practice.telephony.network import TelephonyNetwork
from practice.x.network import XNetwork

NETWORKS: tuple[type[Network], ...] = (MailNetwork, TelephonyNetwork, XNetwork, FacebookNetwork)
