"""HTML of strangers, shown and read."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contactcentre.lib.html import place_pictures, sanitise, sanitise_counted, to_text


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<a href='java\tscript:alert(1)'>x</a>",
        "<svg onload=alert(1)>", "<iframe src='https://x.example'>", "<style>*{background:url(https://x.example)}</style>",
        "<div style='background:url(https://x.example/a)'>x</div>", "<math><mi//xlink:href='data:x,<script>'>",
        "<form action='https://x.example'><input name=p></form>", "<base href='https://x.example'>",
        "<meta http-equiv=refresh>",
        "<img srcset='https://x.example/a 2x'>", "<table background='https://x.example/a'><tr><td>x</table>",
        "<a href='data:text/html,x'>x</a>", "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<img src='cid:x\" onerror=\"alert(1)'>", "<a href='/accounts'>x</a>", "<link rel=stylesheet href=//x.example>",
    ],
)  # fmt: skip
def test_nothing_runs_and_nothing_is_loaded(hostile):
    shown = sanitise(hostile, cid=None)
    for bad in (
        "<script",
        'onerror="',
        "onload",
        "javascript",
        "x.example",
        "style",
        "<svg",
        "<form",
        'href="/',
        "data:",
    ):
        assert bad not in shown.replace("cid:x&quot; onerror=", "")


def test_harmless_marking_up_stays_and_links_are_guarded():
    shown = sanitise('<p>a <b>b</b> <a href="https://s.example/?a=1&amp;b=2" target=_top>c</a></p><ul><li>d', cid=None)
    assert shown == (
        '<p>a <b>b</b> <a href="https://s.example/?a=1&amp;b=2" rel="noopener noreferrer nofollow">c</a></p>'
        "<ul><li>d</li></ul>"
    )


def test_pictures_of_the_mail_are_placed_and_others_are_counted():
    html = '<img alt="a>b" src="CID:p%40 1"><img src="cid:gone" alt="g"><img src="//x.example/t.gif" alt="logo">'
    made = sanitise_counted(html)
    assert made.pictures == {"p@ 1", "gone"}
    assert made.pictures_left_out == 1
    shown = place_pictures(made.html, {"p@ 1": '/files/1?a="&b'})
    assert 'src="/files/1?a=&quot;&amp;b"' in shown
    assert "gone" not in shown
    assert 'alt="logo"' in shown
    assert sanitise(html, cid={}).count("src=") == 0


def test_words_that_look_like_a_picture_are_left_alone():
    words = sanitise('<p>write &lt;img src="cid:x"&gt; src="cid:x"</p>', cid={"x": "/files/1"})
    assert "/files/1" not in words


def test_text_reads_like_the_page():
    html = (
        "<style>p{}</style><div>Hello&nbsp;<b>Leo</b>,</div><p>see <a href='https://s.example/a'>this</a> or "
        "<a href='https://s.example/b'>s.example/b</a><br>now</p><ul><li>one<li>two</ul><table><tr><td>a<td>b</table>"
        "<blockquote>old<br>words<blockquote>older</blockquote></blockquote><pre>x\n  y</pre>1 &lt; 2 & 3 < 4"
    )
    assert to_text(html) == (
        "Hello Leo,\n\nsee this <https://s.example/a> or s.example/b\nnow\n\n- one\n- two\n\na b\n\n"
        "> old\n> words\n>\n> > older\n\nx\n  y\n\n1 < 2 & 3 < 4"
    )


def test_numbers_of_a_million_digits_are_no_trap():
    assert "ok" in to_text("&#" + "9" * 1_000_000 + ";ok")


MARKUP = [
    "<", ">", "<p", "<b x=1>", "</b>", "<!--", "-->", '<a href="', "'", '"', "=", "&", "&#", ";", "<img src=cid:x>",
    "<table>", "<td>", "</td>", "<script>", "word", "\x00", "\ud800",
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(MARKUP), max_size=40))
def test_no_markup_makes_either_raise(parts):
    html = "".join(parts)
    shown = sanitise(html, cid={})
    assert "<script" not in shown
    to_text(html)


@pytest.mark.parametrize(
    "piece",
    ["<b x=1><p>", "<div><p>", "<a <a ", "<a x=\">\" ", "<p><b id=1>", "</script", "<script", "<!--", "<table><td><b>",
     "<!", "&#1",
     "<font a=1><td>", "<", "<a href=x>", "<blockquote>", "<br>"],
)  # fmt: skip
def test_the_time_for_hostile_markup_grows_with_its_length_only(piece):
    html = piece * (200_000 // len(piece))
    # What it computes, and not how long it waits for others who compute.
    start = time.process_time()
    sanitise(html, cid=None)
    to_text(html)
    # A tenth of this is usual; what reads the rest again for every tag takes minutes.
    assert time.process_time() - start < 8


def test_more_than_that_is_not_shown():
    assert sanitise_counted("x" * 5_000_001).too_long
