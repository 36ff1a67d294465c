"""What we lack where Facebook was not told to let us do all that we ask for (trying.SCOPES)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.utils.translation import gettext as _

from channels.adapters.facebook.trying import SUBSCRIBED
from contactcentre.lib.text import clean_line


def words_of(scope: str) -> str:
    """What a missing permission keeps us from, as a sentence."""
    words = {
        "pages_messaging": _("Messenger does not come in, and we cannot answer there."),
        "pages_read_user_content": _("What people write on the Page does not come in."),
        "pages_read_engagement": _("Comments below the Page's own posts do not come in."),
        "pages_manage_engagement": _("We cannot answer comments."),
        "pages_manage_metadata": _("Facebook does not tell us at once: we find what is new when we ask."),
        "pages_show_list": _("We cannot see which Pages there are."),
    }
    return words.get(scope, _("The permission %(scope)s is missing.") % {"scope": clean_line(scope, 60)})


def fields_without(missing: Collection[str]) -> tuple[str, ...]:
    """What a Page may be subscribed to where these permissions are missing: Facebook refuses the whole list for one."""
    return tuple(
        name
        for name in SUBSCRIBED
        if not (
            ("pages_messaging" in missing and name.startswith("messag"))
            or ("pages_read_engagement" in missing and name == "feed")
        )
    )


def lacks(settings: Mapping[str, object]) -> list[str]:
    """What an account's Page keeps from us, a sentence each, from what was found when it was connected."""
    kept = settings.get("missing")
    missing = [str(scope) for scope in kept] if isinstance(kept, list) else []
    found = [words_of(scope) for scope in missing]
    if "subscribed" in settings and "pages_manage_metadata" not in missing:
        if not settings.get("subscribed"):
            found.append(_("The Page does not tell us at once what happens there: we find it when we ask."))
        elif not settings.get("hooked"):
            found.append(_("Facebook does not know our hook address, so we find what is new only when we ask."))
    return found
