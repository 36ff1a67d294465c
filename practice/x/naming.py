"""The names that X's document 2.167 has in the place of older ones, both ways."""

from __future__ import annotations

from typing import Any

#: Fields of answers, old and new.
_FIELDS = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "referenced_tweets": "referenced_posts",
    "note_tweet": "note_post",
    "most_recent_tweet_id": "most_recent_post_id",
    "pinned_tweet_id": "pinned_post_id",
}
#: What can be asked for by another name than its own, in the new way of speaking.
_ASKED = {new: old for old, new in _FIELDS.items()} | {
    "referenced_posts": "referenced_tweets.id",
    "referenced_posts.id": "referenced_tweets.id",
    "referenced_posts.author_id": "referenced_tweets.id.author_id",
    "referenced_posts.id.author_id": "referenced_tweets.id.author_id",
    "referenced_posts.id.attachments.media_keys": "referenced_tweets.id.attachments.media_keys",
}
_PARAMETERS = {"tweet.fields": "post.fields"}


def parameter_in_new_words(name: str) -> str:
    """Return what a parameter is called since 2.167."""
    return _PARAMETERS.get(name, name)


def asked_in_old_words(parameter: str, value: str) -> str:
    """Return a list of fields or expansions with the names that are used inside.

    Old names are understood as well: the document lists them no more, and nothing says that X refuses them.
    """
    if parameter == "expansions":
        names = [_ASKED.get(each, each) for each in value.split(",")]
    else:
        fields = {new: old for old, new in _FIELDS.items()}
        names = [fields.get(each, each) for each in value.split(",")]
    return ",".join(names)


def told_in_new_words(value: Any, *, including: bool = False) -> Any:
    """Return an answer with the new names, at every depth; `including` says whether this is `includes`."""
    if isinstance(value, list):
        return [told_in_new_words(each) for each in value]
    if not isinstance(value, dict):
        return value
    told = {}
    for name, each in value.items():
        new = "posts" if including and name == "tweets" else _FIELDS.get(name, name)
        told[new] = told_in_new_words(each, including=name == "includes")
    return told


def without_field(value: Any, field: str, *, place: str = "", renamed: bool = False) -> Any:
    """Return an answer in which a field is missing, or has _renamed after its name.

    `field` is a name (`author_id`, wherever it stands) or the end of a path (`includes.users.username`); list places do
    not count.
    """
    if isinstance(value, list):
        return [without_field(each, field, place=place, renamed=renamed) for each in value]
    if not isinstance(value, dict):
        return value
    told = {}
    for name, each in value.items():
        here = f"{place}.{name}"
        if not here.endswith(f".{field}"):
            told[name] = without_field(each, field, place=here, renamed=renamed)
        elif renamed:
            told[f"{name}_renamed"] = each
    return told
