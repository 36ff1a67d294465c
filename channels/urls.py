"""Addresses of the account pages, under /settings/accounts/."""

from __future__ import annotations

from django.urls import path, register_converter

from channels import app_views, line_views, views
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
    path("alarm/", views.alarm, name="alarm"),
    path("connect/email/", views.connect_mailbox, name="connect-mailbox"),
    path("connect/email/test/", views.try_mailbox, name="test-mailbox"),
    path("connect/phone/", line_views.connect, name="connect-line"),
    path("apps/x/", app_views.x_app, name="x-app"),
    path("apps/facebook/", app_views.facebook_app, name="facebook-app"),
    path("apps/facebook/callback/", app_views.register_hook, name="register-hook"),
    path("apps/facebook/verify-token/", app_views.new_verify_token, name="new-verify-token"),
    path("ledger/<ledger_list:state>/", views.ledger, name="ledger"),
    path("ledger/item/<id:item_id>/again/", views.process_again, name="process-again"),
    path("ledger/item/<id:item_id>/content/", views.content, name="content"),
    path("<id:account_id>/", views.account, name="account"),
    path("<id:account_id>/edit/", views.edit, name="edit"),
    path("<id:account_id>/edit/test/", views.try_mailbox, name="test-account"),
    path("<id:account_id>/test/", views.try_account, name="try-account"),
    path("<id:account_id>/line/", line_views.edit, name="edit-line"),
    path("<id:account_id>/line/address/", line_views.hook_address, name="hook-address"),
    path("<id:account_id>/line/address/new/", line_views.new_address, name="new-address"),
    path("<id:account_id>/preview/", views.preview, name="preview"),
    path("<id:account_id>/resume/", views.resume, name="resume"),
    path("<id:account_id>/pause/", views.pause, name="pause"),
    path("<id:account_id>/poll-now/", views.poll_now, name="poll-now"),
    path("<id:account_id>/ledger/<ledger_list:state>/", views.ledger, name="account-ledger"),
    path("<id:account_id>/ledger/again/", views.process_all_again, name="process-all-again"),
]
