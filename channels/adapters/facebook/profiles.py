"""What somebody on Messenger is called: webhooks tell only their number."""

from __future__ import annotations

from dataclasses import dataclass

from channels.adapters.facebook import fields, graph
from channels.adapters.facebook.graph import Graph
from channels.adapters.facebook.problems import GraphProblem


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as Facebook shows them to our Page; `avatar_url` ends to be valid after some days."""

    name: str
    avatar_url: str = ""


def profile(access: Graph, psid: str) -> Profile | None:
    """The person with this id on our Page; None where Facebook shows none (code 100/2018218, or not permitted).

    Raises GraphProblem for anything that may pass.
    """
    try:
        given = access.get(graph.path(psid), fields="first_name,last_name,profile_pic")
    except GraphProblem as problem:
        if problem.done == "refused" and problem.retry_after is None:
            return None
        raise
    names = (fields.line(given, "first_name", 100), fields.line(given, "last_name", 100))
    name = " ".join(each for each in names if each)
    return Profile(name=name, avatar_url=fields.link(given, "profile_pic")) if name else None
