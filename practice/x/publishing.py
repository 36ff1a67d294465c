"""Who may post what. One function writes: it checks, keeps the rows, and says what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from practice.network import World
from practice.x.media import Media
from practice.x.posts import Post, Posts
from practice.x.problems import forbidden
from practice.x.profiles import Profile, Profiles
from practice.x.snowflake import Snowflakes, first_of, moment_of
from practice.x.switches import NETWORK
from practice.x.tuning import Tuning
from practice.x.wording import LONGEST, LONGEST_PREMIUM, mentioned, shortened, weight

#: For how long and how often a post can be edited (docs.x.com, edit posts).
EDITABLE_SECONDS = 3600
MOST_EDITS = 5


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What somebody wants to post. `by_app` says whether a developer's app asks for them, which is allowed less."""

    author: Profile
    text: str
    by_app: bool
    reply_to: int | None = None
    quoted: int | None = None
    edited: int | None = None
    names_others: bool = True
    unnamed: Sequence[str] = ()
    media: list[str] = field(default_factory=list)


class Publishing:
    """Posts, deletes, hides and retweets. Every refusal is a Problem."""

    def __init__(
        self, *, world: World, profiles: Profiles, posts: Posts, media: Media, numbers: Snowflakes, tuning: Tuning
    ) -> None:
        self._world = world
        self._profiles = profiles
        self._posts = posts
        self._media = media
        self._numbers = numbers
        self._tuning = tuning

    def post(self, draft: Draft, *, now: float) -> Post:
        """Return the post after it was published; raise Problem where X would refuse it."""
        author = draft.author
        edited = self._editable(draft, now) if draft.edited is not None else None
        reply_to = edited.reply_to if edited else draft.reply_to
        answered = self._answerable(draft) if draft.reply_to is not None and not edited else None
        quoted = self._there(draft.quoted, "quote", author) if draft.quoted is not None else None
        if quoted and draft.by_app:
            # Quote posts by API left the self-serve plans on 2026-04-20.
            raise forbidden("You are not permitted to perform this action.")
        self._media.claim(draft.media, author)
        # The names that X itself puts before a reply do not count against the 280, so they come after the check.
        self._check_length(author, draft.text)
        said = self._with_names(draft, answered) if answered else draft.text
        number = self._numbers.next(now)
        window = first_of(now - self._tuning.seconds("duplicate_seconds"))
        if draft.by_app and self._guarded(author) and self._posts.said_before(author.id, said, window):
            raise forbidden("You are not allowed to create a Tweet with duplicate content.")
        text, links = shortened(said + self._addresses(author, number, quoted, draft.media), str(number))
        post = Post(
            id=number,
            first_id=edited.first_id if edited else number,
            author_id=author.id,
            text=text,
            said=said,
            links=links,
            media=draft.media,
            conversation_id=edited.conversation_id if edited else answered.conversation_id if answered else number,
            reply_to=reply_to,
            quoted=edited.quoted if edited else quoted.id if quoted else None,
        )
        self._posts.add(post, mentions=self._named(said, author), listed_at=self._listed_at(author, now))
        self._world.happenings.note(NETWORK, "edited" if edited else "posted", f"@{author.handle}: {said[:140]}")
        return post

    def retweet(self, author: Profile, post_id: int, *, now: float) -> None:
        """Retweet a post; once is enough, a second time changes nothing."""
        post = self._posts.newest_version(self._there(post_id, "retweet", author))
        if self._posts.retweet_of(author.id, post):
            return
        number = self._numbers.next(now)
        original = self._profiles.known(post.author_id)
        retweet = Post(
            id=number,
            first_id=number,
            author_id=author.id,
            text=f"RT @{original.handle}: {post.text}",
            said="",
            conversation_id=number,
            retweeted=post.id,
        )
        self._posts.add(retweet, mentions=(), listed_at=now)
        self._world.happenings.note(NETWORK, "retweeted", f"@{author.handle} retweeted @{original.handle}.")

    def delete(self, author: Profile, post_id: int) -> bool:
        """Delete one's own post and return whether there was one."""
        post = self._posts.get(post_id)
        if post is None or post.deleted:
            return False
        if post.author_id != author.id:
            raise forbidden("You are not authorized to delete this Tweet.")
        self._posts.delete(post)
        self._world.happenings.note(NETWORK, "deleted", f"@{author.handle} deleted: {post.text[:100]}")
        return True

    def hide(self, owner: Profile, post_id: int, *, hidden: bool) -> None:
        """Hide a reply in one's own conversation, or show it again."""
        post = self._there(post_id, "hide", owner)
        root = self._posts.get(post.conversation_id)
        if root is None or root.author_id != owner.id or post.reply_to is None:
            raise forbidden("You are not permitted to perform this action.")
        self._posts.hide(post, hidden)

    def _editable(self, draft: Draft, now: float) -> Post:
        post = self._posts.get(draft.edited or 0)
        if post is None or post.deleted or post.author_id != draft.author.id:
            raise forbidden("You are not permitted to perform this action.")
        edits = len(self._posts.versions(post.first_id)) - 1
        late = now - moment_of(post.first_id) > EDITABLE_SECONDS
        if late or edits >= MOST_EDITS or not self._profiles.habits(draft.author.id).premium:
            raise forbidden("You are not permitted to perform this action.")
        return post

    def _answerable(self, draft: Draft) -> Post:
        answered = self._there(draft.reply_to, "reply to", draft.author)
        author, mischief = answered.author_id, self._world.mischief
        handle = draft.author.handle.lower()
        if (
            draft.by_app
            and author != draft.author.id
            and (
                mischief.take(NETWORK, "x_unasked", address=handle)
                or (
                    not self._posts.addressed(author, draft.author.id, answered.conversation_id)
                    and not mischief.take(NETWORK, "x_reply_unasked", address=handle)
                )
            )
        ):
            # Self-serve since 2026-02-23: an app may answer those only who spoke to its user first.
            raise forbidden(
                "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged "
                "by the author of the post you are replying to."
            )
        return answered

    def _there(self, post_id: int | None, act: str, viewer: Profile) -> Post:
        post = self._posts.get(post_id or 0)
        mine = post is not None and post.author_id == viewer.id
        if post is None or post.deleted or (not mine and self._profiles.habits(post.author_id).protected):
            raise forbidden(f"You attempted to {act} a Tweet that is deleted or not visible to you.")
        return post

    def _with_names(self, draft: Draft, answered: Post) -> str:
        """Return a reply that begins with those it goes to, as X adds them unless told otherwise."""
        if not draft.names_others:
            return draft.text
        author = self._profiles.known(answered.author_id)
        others = (self._profiles.by_handle(handle) for handle in mentioned(answered.text))
        said = mentioned(draft.text)
        names = [
            f"@{each.handle}"
            for each in dict.fromkeys([author, *(other for other in others if other)])
            if each.id != draft.author.id and each.id not in draft.unnamed and each.handle.lower() not in said
        ]
        return " ".join([*names, draft.text])

    def _check_length(self, author: Profile, text: str) -> None:
        longest = LONGEST_PREMIUM if self._profiles.habits(author.id).premium else LONGEST
        if weight(text) > longest:
            raise forbidden("Your Tweet text is too long.")

    def _addresses(self, author: Profile, number: int, quoted: Post | None, media: Sequence[str]) -> str:
        """Return what X puts behind the words: where the quoted post is, and where the pictures are."""
        added = ""
        if quoted:
            added += f" https://x.com/{self._profiles.known(quoted.author_id).handle}/status/{quoted.id}"
        if media:
            added += f" https://x.com/{author.handle}/status/{number}/photo/1"
        return added

    def _named(self, text: str, author: Profile) -> list[str]:
        named = (self._profiles.by_handle(handle) for handle in mentioned(text))
        return [each.id for each in named if each and each.id != author.id]

    def _guarded(self, author: Profile) -> bool:
        return not self._world.mischief.take(NETWORK, "x_twice_is_fine", address=author.handle.lower())

    def _listed_at(self, author: Profile, now: float) -> float | None:
        """Return from when the post stands in mentions and searches. Our own posts are never late."""
        if author.ours:
            return now
        if self._world.mischief.take(NETWORK, "x_late"):
            self._world.happenings.note(NETWORK, "held", f"A post of @{author.handle} is held back from the lists.")
            return None
        return now + self._tuning.seconds("index_seconds")
