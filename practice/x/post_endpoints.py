"""What can be asked for about posts, and done with them."""

from __future__ import annotations

from collections.abc import Sequence

from practice.x.door import Answer, Call, Handler
from practice.x.media import KEPT_SECONDS, Media
from practice.x.misbehaviour import Misbehaviour
from practice.x.objects import Included, Objects
from practice.x.paging import cut_to_page, page_of
from practice.x.posts import Post, Posts, Window
from practice.x.problems import forbidden, hidden, invalid, missing
from practice.x.profiles import Profile, Profiles
from practice.x.publishing import Draft, Publishing
from practice.x.search import QueryError, Search
from practice.x.snowflake import first_of

#: How many mentions can be reached at all (docs.x.com, user mention timeline).
REACHABLE_MENTIONS = 800
#: How far back a search looks, in seconds.
SEARCHED_SECONDS = 7 * 86_400
#: How many posts a search looks at before it gives up on finding more.
_MOST_SEARCHED = 5_000


class PostEndpoints:
    """Handlers of the door."""

    def __init__(
        self,
        *,
        profiles: Profiles,
        posts: Posts,
        publishing: Publishing,
        media: Media,
        objects: Objects,
        misbehaviour: Misbehaviour,
    ) -> None:
        self._profiles = profiles
        self._posts = posts
        self._publishing = publishing
        self._media = media
        self._objects = objects
        self._misbehaviour = misbehaviour
        self._search = Search(profiles, posts)

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        return {
            "mentions": self.mentions,
            "timeline": self.timeline,
            "search": self.search,
            "posts": self.some,
            "post": self.one,
            "create_post": self.create,
            "delete_post": self.delete,
            "hide_reply": self.hide,
            "retweet": self.retweet,
            "upload": self.upload,
        }

    def mentions(self, call: Call) -> Answer:
        """List the posts that name an account."""
        owner = self._owner(call)
        if isinstance(owner, Answer):
            return owner
        page = page_of(call, default=10, since_heeded=self._misbehaviour.heeds_since(call.caller.handle))
        found = self._posts.mentioning(
            owner.id, page.window, viewer=call.caller.id, now=call.now, reachable=REACHABLE_MENTIONS
        )
        return self._listed(call, *cut_to_page(found, page, previous=True))

    def timeline(self, call: Call) -> Answer:
        """List what an account wrote."""
        owner = self._owner(call)
        if isinstance(owner, Answer):
            return owner
        page = page_of(call, default=10, since_heeded=self._misbehaviour.heeds_since(call.caller.handle))
        without = call.query.get("exclude", "").split(",")
        found = self._posts.by_author(
            owner.id,
            page.window,
            viewer=call.caller.id,
            without_replies="replies" in without,
            without_retweets="retweets" in without,
        )
        return self._listed(call, *cut_to_page(found, page, previous=True))

    def search(self, call: Call) -> Answer:
        """List posts of the last seven days that fit a query."""
        try:
            test = self._search.test(call.query["query"])
        except QueryError as error:
            raise invalid(
                f"There were errors processing your request: {error}", {"query": [call.query["query"]]}
            ) from None
        earliest, start = call.now - SEARCHED_SECONDS, call.moment("start_time")
        if start is not None and start < earliest - 60:
            raise invalid(
                f"Invalid 'start_time':'{call.query['start_time']}'. 'start_time' must be on or after seven days ago.",
                {"start_time": [call.query["start_time"]]},
            )
        page = page_of(call, default=10, since_heeded=self._misbehaviour.heeds_since(call.caller.handle))
        wide = Window(above=max(page.window.above, first_of(earliest)), below=page.window.below, limit=_MOST_SEARCHED)
        fitting = [post for post in self._posts.searchable(wide, viewer=call.caller.id, now=call.now) if test(post)]
        return self._listed(call, *cut_to_page(fitting[: page.window.limit], page, previous=False))

    def some(self, call: Call) -> Answer:
        """Tell posts by their ids; what is gone becomes an error beside the others."""
        found: list[Post] = []
        errors = []
        for number in dict.fromkeys(call.query["ids"].split(",")):
            post = self._posts.get(int(number)) if int(number) < 2**63 else None
            if post is None or post.deleted:
                errors.append(missing("tweet", "ids", number))
            elif not self._objects.readable(post, call.caller.id):
                errors.append(hidden("tweet", "ids", number))
            else:
                found.append(post)
        included = Included(errors=errors)
        data = self._objects.posts(found, call.asked(), included, call.caller.id)
        return Answer(included.added_to({"data": data} if data else {}))

    def one(self, call: Call) -> Answer:
        """Tell one post. One that is gone is answered with 200 and an error, as X does."""
        number = call.path["id"]
        post = self._posts.get(int(number)) if int(number) < 2**63 else None
        if post is None or post.deleted:
            return Answer({"errors": [missing("tweet", "id", number)]})
        if not self._objects.readable(post, call.caller.id):
            return Answer({"errors": [hidden("tweet", "id", number)]})
        included = Included()
        data = self._objects.posts([post], call.asked(), included, call.caller.id)
        return Answer(included.added_to({"data": data[0]}))

    def create(self, call: Call) -> Answer:
        """Post, answer, quote or edit."""
        body = call.body
        reply, media = body.get("reply", {}), body.get("media", {}).get("media_ids", [])
        if not body.get("text") and not media:
            raise invalid("$.text: is missing but it is required, when there is no media", {"$.text": [""]})
        edited = body.get("edit_options", {}).get("previous_post_id")
        post = self._publishing.post(
            Draft(
                author=call.user,
                text=body.get("text", ""),
                by_app=call.caller.by_app,
                reply_to=_number(reply.get("in_reply_to_tweet_id")),
                quoted=_number(body.get("quote_tweet_id")),
                edited=_number(edited),
                names_others=reply.get("auto_populate_reply_metadata", True),
                unnamed=reply.get("exclude_reply_user_ids", ()),
                media=[f"3_{number}" for number in media],
            ),
            now=call.now,
        )
        versions = [str(number) for number in self._posts.versions(post.first_id)]
        told = {"id": str(post.id), "text": post.text, "edit_history_tweet_ids": versions}
        return Answer({"data": told}, {"location": f"https://api.twitter.com/2/tweets/{post.id}"})

    def delete(self, call: Call) -> Answer:
        """Delete one's own post."""
        number = int(call.path["id"])
        return Answer({"data": {"deleted": number < 2**63 and self._publishing.delete(call.user, number)}})

    def hide(self, call: Call) -> Answer:
        """Hide a reply in one's own conversation, or show it again."""
        self._publishing.hide(call.user, _number(call.path["tweet_id"]) or 0, hidden=call.body["hidden"])
        return Answer({"data": {"hidden": call.body["hidden"]}})

    def retweet(self, call: Call) -> Answer:
        """Retweet, in one's own name only."""
        if call.path["id"] != call.user.id:
            raise forbidden("You are not permitted to perform this action.")
        self._publishing.retweet(call.user, _number(call.body["tweet_id"]) or 0, now=call.now)
        return Answer({"data": {"id": call.body["tweet_id"], "retweeted": True}})

    def upload(self, call: Call) -> Answer:
        """Keep a picture for a post or a message to come."""
        picture = self._media.upload(call.user, call.upload, now=call.now)
        told = {"id": str(picture.id), "media_key": picture.key, "size": len(call.upload)}
        return Answer({"data": {**told, "expires_after_secs": KEPT_SECONDS}})

    def _owner(self, call: Call) -> Profile | Answer:
        """Return the account whose list is asked for, or the answer that there is none, or none to be seen."""
        user_id = call.path["id"]
        profile = self._profiles.by_id(user_id)
        if profile is None:
            return Answer({"errors": [missing("user", "id", user_id)]})
        if user_id != call.caller.id and self._profiles.habits(user_id).protected:
            return Answer({"errors": [hidden("user", "id", user_id)]})
        return profile

    def _listed(self, call: Call, posts: Sequence[Post], meta: dict[str, object]) -> Answer:
        """Return a page. An empty one has no `data` at all, only its `meta`."""
        included = Included()
        data = self._objects.posts(posts, call.asked(), included, call.caller.id)
        return Answer({**included.added_to({"data": data} if data else {}), "meta": meta})


def _number(text: str | None) -> int | None:
    """Return an id as a number; one that does not fit into 63 bits is nobody's."""
    return None if text is None else min(int(text), 2**63 - 1)
