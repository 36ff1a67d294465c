"""The page's pure modules, run in Chromium from files: no server, no database."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from channels.surfaces import SURFACES
from tickets.weight import length, weighted

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]


class Quiet(SimpleHTTPRequestHandler):
    """Serves the static files; takes what is posted to ?taken and refuses all else; says nothing."""

    def do_POST(self) -> None:
        """Lead on, as after a form that was taken, or answer under the form's own address with a way out of it."""
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("?taken"):
            self.send_response(303)
            self.send_header("Location", "/js/")
            self.end_headers()
        else:
            self.send_response(403)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b'<a href="/js/">To the inbox</a>')

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name of the method it replaces)
        """Requests are not worth a line in the tests' output."""


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page of the same origin as the modules."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(ROOT / "static")))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    page = chromium.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/js/")
    yield page
    page.close()
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


@pytest.fixture
def call(page: Page) -> Callable[..., Any]:
    """call("weighted", "weighted", "text"): what a module's function answers."""

    def run(module: str, function: str, *given: Any) -> Any:
        return page.evaluate(
            "async ([module, name, given]) => (await import(`/js/${module}.js`))[name](...given)",
            [module, function, list(given)],
        )

    return run


TEXTS = [
    "",
    "plain words",
    "Grüße, naïve café — “quoted” … 100 €",
    "e\u0301 decomposed",
    "https://a.example/very/long/path?with=a&query=of-many-characters and HTTP://B.EXAMPLE too",
    "看看这个 まで 한국어",
    "هل يمكنني تغيير عنوان التسليم؟",
    "🎉 👍🏽 👩‍👩‍👧‍👦 🇬🇧🇩🇪 🇬 ❤️ ☎ ⭐",
    "1️⃣ #⃣ 2 ▶️ ℹ️ ™️ ©® ⏰ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ⏸️",
    "acme.com/track, www.acme.co.uk. (see Müller.de) a.b node.js carla@acme.com @acme.com end.Next 3.5 http://例え.jp/x",
    "(https://acme.com/a?b=c). https://acme.com/日本語 https://acme.com:8000/~x! https:// x",
    "\u200d lone joiner \ufe0f",
    "line\nbreaks\tand\ttabs",
    "x" * 281,
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_page_counts_as_the_server_does(call: Callable[..., Any], text: str) -> None:
    assert call("weighted", "weighted", text) == weighted(text)
    for surface in SURFACES.values():
        assert call("weighted", "length", text, surface.name) == length(text, surface)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Ring 07700 900142 or +44 (0)20 7946-0142", ["phone_number", "phone_number"]),
        ("carla.hughes+x@post.example", ["mail_address"]),
        ("IBAN DE89 3704 0044 0532 0130 00 please", ["bank_account"]),
        ("GB82WEST12345698765432", ["bank_account"]),
        ("Card 4111 1111 1111 1111", ["card_number"]),
        ("Order AC-48213, parcel 123456789012, on 2026-11-20 or 20.11.2026", []),
        ("See https://acme.example/t/07700900142 and DE89370400440532013001", []),
        ("@carla_hughes we call before four", []),
    ],
)
def test_personal_data_is_found(call: Callable[..., Any], text: str, kinds: list[str]) -> None:
    assert [one["kind"] for one in call("private", "personalData", text)] == kinds


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "0 min"), (8, "8 min"), (80, "1 h 20"), (125, "2 h 05"), (180, "3 h"), (1435, "23 h"), (2880, "2 d")],
)
def test_lengths_of_time_are_told_as_the_server_does(call: Callable[..., Any], minutes: int, words: str) -> None:
    assert call("times", "span", minutes * 60_000) == words


def test_lists_open_where_they_belong(call: Callable[..., Any]) -> None:
    assert call("suggest", "slashBegins", "Hello\n/tha") == {"query": "tha", "start": 6}
    assert call("suggest", "slashBegins", "either/or") is None
    assert call("suggest", "atBegins", "ask @Bj") == {"query": "Bj", "start": 4}
    assert call("suggest", "atBegins", "carla@post") is None
    assert call("suggest", "fits", "Björn Ek", "bjo")


MORPH = """async ([before, after, prepare]) => {
  const { morphChildren } = await import("/js/morph.js");
  const target = document.createElement("div");
  target.innerHTML = before;
  document.body.replaceChildren(target);
  const kept = new Map([...target.querySelectorAll("[id]")].map((element) => [element.id, element]));
  if (prepare) document.querySelector(prepare).focus();
  const fresh = document.createElement("div");
  fresh.innerHTML = after;
  morphChildren(target, fresh);
  return {
    html: target.innerHTML,
    same: [...target.querySelectorAll("[id]")].filter((one) => kept.get(one.id) === one).map((one) => one.id),
    focus: document.activeElement.id,
  };
}"""


def test_elements_are_matched_by_their_ids(page: Page) -> None:
    before = '<p id="a">one</p> <p id="b">two</p> <p id="c">three</p>'
    after = '<p id="c">three</p> <p id="d">new</p> <p id="a" class="x">changed</p>'
    got = page.evaluate(MORPH, [before, after, ""])
    assert got["html"] == after
    assert set(got["same"]) == {"a", "c"}


def test_the_focus_goes_with_its_element(page: Page) -> None:
    before = '<li id="a"><a href="#" id="la">a</a></li><li id="b"><a href="#" id="lb">b</a></li>'
    after = '<li id="b"><a href="#" id="lb">b, moved</a></li><li id="c">c</li><li id="a"><a href="#" id="la">a</a></li>'
    for focused in ("#la", "#lb"):
        got = page.evaluate(MORPH, [before, after, focused])
        assert got["html"] == after
        assert f"#{got['focus']}" == focused


def test_what_is_being_typed_in_is_left_alone(page: Page) -> None:
    before = '<div id="a"><textarea id="t">half a</textarea></div><p id="b">old</p>'
    got = page.evaluate(MORPH, [before, '<p id="b">new</p>', "#t"])
    assert "half a" in got["html"]
    assert ">new<" in got["html"]
    assert got["focus"] == "t"


def test_a_fold_the_reader_opened_stays_open(page: Page) -> None:
    before = '<details id="d" open><summary>s</summary>old</details>'
    got = page.evaluate(MORPH, [before, '<details id="d"><summary>s</summary>new</details>', ""])
    assert got["html"] == '<details id="d" open=""><summary>s</summary>new</details>'


def test_every_word_of_the_page_can_be_translated() -> None:
    """The words that js/words.js knows and those that the template prints are the same, in the same English."""
    known = dict(re.findall(r'^  (\w+): "(.*)",$', (ROOT / "static/js/words.js").read_text(), re.MULTILINE))
    template = (ROOT / "templates/_words.html").read_text()
    printed = dict(re.findall(r'data-key="(\w+)">\{% translate "(.*?)" %\}', template))
    assert printed == known


FORM = """() => {
  document.body.innerHTML = `<form data-kept action="/taken">
    <input name="subject"><input type="hidden" name="key" value="k">
    <select name="then"><option value=""></option><option value="solve">Solve</option></select>
    <textarea name="text"></textarea><button>Send</button></form>`;
}"""


def leave(page: Page) -> None:
    """The page anew: nothing listens any more for the form that was there, and nothing of it is kept."""
    page.goto(page.url.partition("?")[0])
    page.evaluate("localStorage.clear()")


@pytest.fixture
def form(page: Page, call: Callable[..., Any]) -> Iterator[Page]:
    """A page with a form of its own to keep, as it is just loaded; what it sent is in window.sent."""
    page.evaluate(FORM)
    call("forms", "start")
    page.evaluate("""() => {
      window.sent = [];
      document.querySelector("form").addEventListener("submit", (event) => {
        if (!event.defaultPrevented) window.sent.push(event.target.elements.text.value);
        event.preventDefault();
      });
    }""")
    yield page
    leave(page)


def test_what_was_typed_into_a_form_is_there_again_after_the_page_was_lost(
    form: Page, call: Callable[..., Any]
) -> None:
    form.fill("[name=subject]", "Your delivery")
    form.fill("[name=text]", "It comes on Friday.")
    form.select_option("[name=then]", "solve")
    # As when the session is found to have ended: it was sent, and the page comes back empty.
    form.click("button")
    form.evaluate(FORM)
    call("forms", "start")
    values = "[...document.querySelectorAll('[name]')].map((field) => field.value)"
    assert form.evaluate(values) == ["Your delivery", "k", "solve", "It comes on Friday."]
    form.click(".toast button:has-text('Begin anew')")
    assert form.evaluate(values) == ["", "k", "", ""]


def test_a_form_is_sent_once_and_not_by_enter_in_a_line(form: Page) -> None:
    form.fill("[name=text]", "It comes on Friday.")
    form.press("[name=subject]", "Enter")
    assert form.evaluate("window.sent") == []
    form.press("[name=text]", "Control+Enter")
    form.click("button")
    assert form.evaluate("window.sent") == ["It comes on Friday."]


KEPT = "Object.entries(JSON.parse(localStorage.getItem('forms-')) ?? {}).map(([at, one]) => [at, one.values.text])"


@pytest.mark.parametrize("answer", ["taken", "refused"])
def test_only_words_that_were_taken_are_let_go(page: Page, call: Callable[..., Any], answer: str) -> None:
    form, home = f"/js/?{answer}", page.url
    try:
        page.goto(f"{home}?{answer}")
        page.evaluate(FORM)
        page.evaluate("Object.assign(document.querySelector('form'), { method: 'post', action: location.href })")
        call("forms", "start")
        page.fill("[name=text]", "It comes on Friday.")
        page.click("button")
        if answer == "refused":
            page.click("text=To the inbox")
        page.wait_for_url(home)
        call("forms", "start")
        assert page.evaluate(KEPT) == ([] if answer == "taken" else [[form, "It comes on Friday."]])
    finally:
        leave(page)


def test_refused_words_are_kept_though_nothing_more_was_typed(page: Page, call: Callable[..., Any]) -> None:
    page.evaluate(FORM)
    page.evaluate("""() => {
      document.querySelector("[name=text]").value = "It comes on Friday.";
      document.body.insertAdjacentHTML("afterbegin", "<p role=alert>Something is missing.</p>");
    }""")
    call("forms", "start")
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    assert page.evaluate(KEPT) == [["/js/", "It comes on Friday."]]
    leave(page)


def test_a_form_without_an_answer_can_be_sent_again(form: Page) -> None:
    form.evaluate("""() => {
      window.later = [];
      window.soon = setTimeout;
      window.setTimeout = (run, pause) => (pause >= 5000 ? window.later.push(run) : window.soon(run, pause));
    }""")
    form.fill("[name=text]", "It comes on Friday.")
    form.click("button")
    form.evaluate("window.setTimeout = window.soon")
    is_sent = "JSON.parse(localStorage.getItem('forms-'))['/js/'].isSent"
    # What is typed before the answer does not make the sent words unsent.
    form.press("[name=subject]", "x")
    form.fill("[name=subject]", "")
    form.evaluate("window.later.forEach((run) => run())")
    form.evaluate("dispatchEvent(new Event('pagehide'))")
    assert form.evaluate(is_sent) is True
    form.click("button")
    assert form.evaluate("window.sent") == ["It comes on Friday.", "It comes on Friday."]


def test_words_go_along_to_the_form_where_they_belong(form: Page) -> None:
    form.evaluate("""() => {
      const link = '<a data-moves-on href="?call=7">Write on that call</a>';
      document.querySelector("form").insertAdjacentHTML("beforeend", link);
      document.querySelector("[data-moves-on]").addEventListener("click", (event) => event.preventDefault());
    }""")
    form.fill("[name=text]", "Wants it in blue")
    form.click("[data-moves-on]")
    form.evaluate("dispatchEvent(new Event('pagehide'))")
    kept = form.evaluate("JSON.parse(localStorage.getItem('forms-'))")
    assert {place: one["values"] for place, one in kept.items()} == {"/js/?call=7": {"text": "Wants it in blue"}}


def test_picked_tickets_are_let_go_with_their_list(page: Page, call: Callable[..., Any]) -> None:
    page.evaluate("""() => {
      document.body.innerHTML =
        '<main id="main"><input type="checkbox" data-select="7"></main><p id="selection" hidden></p>';
    }""")
    call("selection", "start")
    page.check("[data-select]")
    assert call("selection", "picked") == ["7"]
    page.evaluate("document.dispatchEvent(new CustomEvent('main:leaves'))")
    assert call("selection", "picked") == []
    assert page.locator("#selection").is_hidden()


STREAM = """async () => {
  const real = { setTimeout: window.setTimeout, clearTimeout: window.clearTimeout, EventSource: window.EventSource };
  const soon = (run) => real.setTimeout.call(window, run, 5);
  const timers = new Map();
  window.setTimeout = (run, after) => (timers.set(timers.size + 1, { run, after }), timers.size);
  window.clearTimeout = (number) => timers.get(number) && (timers.get(number).after = null);
  const made = [];
  window.EventSource = class extends EventTarget {
    static CLOSED = 2;
    constructor(url) { super(); Object.assign(this, { url, readyState: 0 }); made.push(this); }
    close() { this.readyState = 2; }
  };
  const states = [];
  const { follow } = await import("/js/stream.js");
  const stop = follow({ url: "/live/", position: "", person: "silence", heard() {}, state: (now) => states.push(now) });
  const latest = performance.now() + 5000;
  while (!made.length && performance.now() < latest) await new Promise(soon);
  made[0].dispatchEvent(new Event("open"));
  made[0].dispatchEvent(new MessageEvent("still", { data: "{}", lastEventId: "e:7-0" }));
  const waiting = () => [...timers.values()].filter((one) => one.after !== null);
  const silences = waiting().map((one) => one.after);
  waiting()[0].run();
  waiting().at(-1).run();
  stop();
  Object.assign(window, real);
  return [silences, states, made.map((one) => [one.url, one.readyState])];
}"""


def test_a_stream_that_says_nothing_any_more_is_called_lost_and_begun_anew_where_it_was(page: Page) -> None:
    silences, states, streams = page.evaluate(STREAM)
    assert silences == [35_000]
    assert states == ["live", "lost"]
    assert streams == [["/live/?from=", 2], ["/live/?from=e%3A7-0", 2]]


def test_what_is_told_on_a_telephone_lies_over_no_button(page: Page) -> None:
    browser = page.context.browser
    assert browser is not None
    phone = browser.new_page()
    phone.set_viewport_size({"width": 390, "height": 844})
    phone.goto(page.url)
    phone.set_content(
        """<link rel="stylesheet" href="/app.css"><main class="inbox"><section class="pane pane--ticket">
        <header class="pane-head"><button class="button">Back</button></header><div class="list-tools">Queue</div>
        </section></main><div class="toasts"><div class="toast">Leaves in 10 s</div></div>"""
    )
    toast, head = phone.locator(".toast").bounding_box(), phone.locator(".list-tools").bounding_box()
    phone.close()
    assert toast is not None
    assert head is not None
    assert toast["y"] >= head["y"] + head["height"] > 80


def test_after_an_answer_the_keys_go_on_where_the_ticket_stood(page: Page) -> None:
    page.evaluate("""() => {
      const rows = [1, 2, 3, 4].map((id) => `<li data-ticket="${id}"><a href="#${id}">${id}</a></li>`);
      document.body.innerHTML =
        `<ul id="ticket-list">${rows.join("")}</ul><section id="ticket" data-ticket="2"></section>`;
    }""")
    walked = """async ([moved, step]) => {
      const list = await import("/js/list.js");
      list.stand(document.querySelector("[data-ticket='2']"));
      const rows = document.getElementById("ticket-list");
      const after = rows.querySelector("[data-ticket='4']").nextSibling;
      for (const id of moved) {
        rows.insertBefore(rows.querySelector(`[data-ticket='${id}']`), id === 2 ? after : rows.firstChild);
      }
      const reached = list.neighbour(step).dataset.ticket;
      rows.append(...[1, 2, 3, 4].map((id) => rows.querySelector(`[data-ticket='${id}']`)));
      return reached;
    }"""
    cases = {"nothing moved": [], "it went to the end": [2], "another one became urgent": [3]}
    reached = {case: [page.evaluate(walked, [moved, step]) for step in (1, -1)] for case, moved in cases.items()}
    assert reached == {
        "nothing moved": ["3", "1"],
        "it went to the end": ["3", "1"],
        "another one became urgent": ["4", "1"],
    }


def test_the_first_ticket_of_a_quiet_morning_is_there_to_be_chosen(page: Page, call: Callable[..., Any]) -> None:
    page.evaluate("""() => {
      document.body.innerHTML = '<ul id="ticket-list"><li data-ticket="7"></li></ul><section id="ticket">'
        + '<p data-with-rows hidden>Choose</p><p data-without-rows>Nothing waits</p></section>';
    }""")
    call("list", "markOpen")
    assert page.locator("#ticket").inner_text() == "Choose"
    page.evaluate("document.querySelector('li').remove()")
    call("list", "markOpen")
    assert page.locator("#ticket").inner_text() == "Nothing waits"


SEARCH = """() => {
  document.body.innerHTML =
    '<main id="main"><a id="row" href="#seven">7</a></main><a data-open-search href="#search">Search</a>';
  window.real = window.fetch;
  window.answered = new Promise((answer) => {
    window.fetch = async () => ({ ok: true, redirected: false, text: () => new Promise((_, fail) => {
      window.fail = () => { window.fetch = window.real; fail(new DOMException("too late", "TimeoutError")); };
      answer();
    }) });
  });
}"""


def test_a_search_that_stops_on_its_way_is_gone_to(page: Page, call: Callable[..., Any]) -> None:
    page.evaluate(SEARCH)
    assert call("search", "focusSearch") is True
    page.evaluate("window.answered.then(() => window.fail())")
    page.wait_for_url("**/#search")
    page.evaluate("history.replaceState(null, '', '/js/')")


def test_a_ticket_opened_meanwhile_is_not_lost_to_the_search(page: Page, call: Callable[..., Any]) -> None:
    page.evaluate(SEARCH)
    call("search", "start")
    call("search", "focusSearch")
    asks = "(asking) => asking.dispatchEvent(new CustomEvent('htmx:beforeRequest', { bubbles: true }))"
    page.evaluate("window.answered")
    page.eval_on_selector("#main", asks)  # the page asks something by itself
    page.evaluate("""async () => {
      const { typedAhead } = await import("/js/search.js");
      document.body.addEventListener("keydown", (event) => { window.isAhead = typedAhead(event); });
    }""")
    page.keyboard.press("e")
    assert page.evaluate("window.isAhead") is True
    page.eval_on_selector("#row", asks)
    page.keyboard.press("e")
    assert page.evaluate("window.isAhead") is False
    page.evaluate("window.fail()")
    page.evaluate("new Promise((turn) => setTimeout(turn))")
    assert "#" not in page.url
    assert page.evaluate("sessionStorage.getItem('search-typed')") is None


def test_words_that_can_be_written_nowhere_are_told_so(page: Page, call: Callable[..., Any]) -> None:
    page.evaluate("""() => {
      document.body.innerHTML =
        '<div class="bubble"><p class="bubble__text">Hello</p><button data-act="words">Write it anew</button></div>';
    }""")
    call("messages", "start")
    page.click("[data-act=words]")
    assert "Nothing can be written on this ticket" in page.inner_text(".toast")


def test_words_that_came_with_the_page_can_be_closed(page: Page, call: Callable[..., Any]) -> None:
    page.evaluate("""() => {
      document.body.innerHTML = '<div id="toasts"><div class="toast"><span>It is written down.</span></div></div>';
    }""")
    call("toast", "takeOver")
    assert page.locator(".toast").all_inner_texts() == ["It is written down.×"]
    page.click(".toast button")
    assert page.locator(".toast").count() == 0


def test_a_reply_sent_from_another_tab_is_told_to_this_one(page: Page) -> None:
    page.evaluate("""async () => {
      const { hearOtherTabs } = await import("/js/sending.js");
      const { own } = await import("/js/store.js");
      window.heard = [];
      hearOtherTabs((ticket, text) => window.heard.push([ticket, text]));
      const newValue = JSON.stringify({ ticket: "7", text: "It leaves tonight", at: 1 });
      dispatchEvent(new StorageEvent("storage", { key: own("sent"), newValue }));
      dispatchEvent(new StorageEvent("storage", { key: own("sent"), newValue: null }));
    }""")
    assert page.evaluate("window.heard") == [["7", "It leaves tonight"]]


# Ways to answer: "key surface", with + where everybody reads, with ! where one cannot write there just now.
COMPOSER = """(ways) => {
  const tabs = ways.map((way) => {
    const [, key, surface, mark] = /^(\\w+) ([\\w:]+)(.*)$/.exec(way);
    const told = (mark.includes("+") ? " data-public" : "")
      + (mark.includes("!") ? ` aria-disabled="true" title="${key} is closed"` : "");
    return `<button type="button" role="tab" data-way="${key}" data-surface="${surface}" data-name="${key}"${told}>`
      + `</button>`;
  });
  document.body.innerHTML = `<form class="composer" data-ticket="7" data-chosen="${ways[0].split(" ")[0]}"
      data-draft-url="/js/?taken"><div data-callouts></div><div class="composer__box">
    <div role="tablist">${tabs.join("")}<button type="button" role="tab" data-way="note"></button></div>
    <div data-panel="reply"><textarea data-text="reply"></textarea><ul data-files></ul></div>
    <div data-panel="note"><textarea data-text="note"></textarea></div>
    <button type="button" data-attach></button><input type="file" data-picker><p data-saved></p>
    <button type="button" data-templates></button><p data-count></p><p data-send></p><p data-keep-note></p>
    </div></form>`;
}"""


@pytest.fixture
def ways(page: Page, call: Callable[..., Any]) -> Iterator[Callable[..., None]]:
    """ways("7 email", "8 x:mention+!"): a composer of ticket 7 with these, the first one chosen, `begun` in its box."""

    def made(*ways: str, begun: str = "") -> None:
        page.evaluate(COMPOSER, list(ways))
        page.evaluate("(words) => { document.querySelector('[data-text=reply]').value = words; }", begun)
        call("composer", "begin")

    page.evaluate("localStorage.clear()")
    yield made
    leave(page)


def stands(page: Page) -> list[str]:
    """Which way is chosen, what stands in the box, and what is said above it."""
    return page.evaluate("""() => [
      document.querySelector("[role=tab][aria-selected=true]").dataset.way,
      document.querySelector("[data-text=reply]").value,
      document.querySelector("[data-callouts]").innerText.split(/\\s*\\n\\s*/).join(" | "),
    ]""")


PUT_BACK = """async ([text, way]) => {
  const { composer } = await import("/js/composer.js");
  composer().putBack(text, [], way);
}"""
MAIL = {"key": "9", "surface": "email", "isPublic": False}
CHAT = {"key": "5", "surface": "facebook:messenger", "isPublic": False}
POST = {"key": "3", "surface": "x:mention", "isPublic": True}


@pytest.mark.parametrize(
    ("there", "way", "now"),
    [
        (["7 email", "9 email"], MAIL, ["9", "Hello", ""]),
        (["2 x:mention+", "6 facebook:messenger"], CHAT, ["6", "Hello", ""]),
        # Its window is over: the words go no other way by themselves, and above all none that everybody reads.
        (["2 x:mention+", "5 facebook:messenger!", "7 email"], CHAT, ["5", "Hello", "5 is closed | Use 7"]),
        (["2 x:mention+", "5 facebook:messenger!"], CHAT, ["5", "Hello", "5 is closed | Use 2"]),
        # The post was deleted: the words do not stand below another one.
        (["2 x:mention+", "3 x:mention+!"], POST, ["3", "Hello", "3 is closed | Use 2"]),
        (["2 x:mention+", "7 email"], POST, ["7", "Hello", "Not sent. Your words are kept."]),
    ],
)
def test_words_come_back_to_the_way_they_were_for_and_never_by_themselves_to_another_that_everybody_reads(
    page: Page, ways: Callable[..., None], there: list[str], way: dict[str, Any], now: list[str]
) -> None:
    ways(*there)
    page.evaluate(PUT_BACK, ["Hello", way])
    assert stands(page) == now
    # The same after the page was loaded again.
    ways(*there, begun="Hello")
    assert stands(page) == [now[0], now[1], now[2] if "closed" in now[2] else ""]


def test_private_words_stay_where_they_are_when_public_ones_join_them(page: Page, ways: Callable[..., None]) -> None:
    ways("7 email", "3 x:mention+", begun="Only for you")
    page.evaluate(PUT_BACK, ["Hello", POST])
    assert stands(page)[:2] == ["7", "Hello\n\nOnly for you"]


def test_words_on_a_way_that_closed_are_still_there_after_a_look_at_the_note(
    page: Page, ways: Callable[..., None]
) -> None:
    ways("2 x:mention+", "5 facebook:messenger!")
    page.evaluate(PUT_BACK, ["Hello", CHAT])
    page.click("[data-way=note]")
    page.evaluate("async () => (await import('/js/composer.js')).composer().reply()")
    assert stands(page)[0] == "5"


def test_an_empty_box_forgets_no_way_of_words_in_another_tab(
    page: Page, ways: Callable[..., None], call: Callable[..., Any]
) -> None:
    call("ways", "keepWay", "7", CHAT)
    ways("2 x:mention+", "5 facebook:messenger")
    page.click("[data-way='5']")
    page.click("[data-way=note]")
    page.fill("[data-text=note]", "Rang him.")
    page.click("[data-way='5']")
    assert call("ways", "keptWay", "7") == CHAT
    page.fill("[data-text=reply]", "Hello")
    page.fill("[data-text=reply]", "")
    assert call("ways", "keptWay", "7") is None


def test_words_that_come_back_to_another_ticket_join_its_draft_where_fewer_people_read(
    page: Page, call: Callable[..., Any]
) -> None:
    kept = []
    for begun, back in ((None, POST), (CHAT, POST), (POST, CHAT), (CHAT, MAIL)):
        call("ways", "keepWay", "8", begun)
        call("ways", "joinWay", "8", back)
        kept.append(call("ways", "keptWay", "8"))
    assert kept == [POST, CHAT, CHAT, CHAT]
    leave(page)


def test_write_it_anew_says_which_thread_the_words_were_for(page: Page, call: Callable[..., Any]) -> None:
    page.evaluate("""() => {
      document.body.innerHTML = '<form class="composer"></form><div class="bubble"><p class="bubble__text">Hello</p>'
        + '<button data-act="words" data-way="9" data-surface="email">Write it anew</button></div>';
      document.addEventListener("words-again", ({ detail }) => { window.again = detail; }, { once: true });
    }""")
    call("messages", "start")
    page.click("[data-act=words]")
    assert page.evaluate("window.again") == {"text": "Hello", "way": MAIL}
