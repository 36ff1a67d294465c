"""Addresses of the account pages, under /settings/accounts/."""

from __future__ import annotations

from django.urls import path, register_converter

from channels import views
from channels.queries import LISTS


class ListConverter:
    """The name of a ledger list: seen, or a state."""

    regex = "|".join(LISTS)

    def to_python(self, value: str) -> str:
        """The name itself."""
        return value

    to_url = to_python


register_converter(ListConverter, "ledger_list")

app_name = "channels"
urlpatterns = [
    path("", views.accounts, name="accounts"),
    path("connect/email/", views.connect_mailbox, name="connect-mailbox"),
    path("connect/email/test/", views.try_mailbox, name="test-mailbox"),
    path("ledger/<ledger_list:state>/", views.ledger, name="ledger"),
    path("ledger/item/<int:item_id>/again/", views.process_again, name="process-again"),
    path("ledger/item/<int:item_id>/content/", views.content, name="content"),
    path("<int:account_id>/", views.account, name="account"),
    path("<int:account_id>/edit/", views.edit, name="edit"),
    path("<int:account_id>/edit/test/", views.try_mailbox, name="test-account"),
    path("<int:account_id>/preview/", views.preview, name="preview"),
    path("<int:account_id>/resume/", views.resume, name="resume"),
    path("<int:account_id>/pause/", views.pause, name="pause"),
    path("<int:account_id>/poll-now/", views.poll_now, name="poll-now"),
    path("<int:account_id>/ledger/<ledger_list:state>/", views.ledger, name="account-ledger"),
    path("<int:account_id>/ledger/again/", views.process_all_again, name="process-all-again"),
]
