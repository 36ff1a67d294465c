// One live stream per browser, shared by its tabs.
//
// A browser allows six connections to a server over HTTP/1.1, so ten tabs with a stream each would starve. The tabs
// elect an owner by a lock; the owner hears the stream and tells the others. Without locks or channels (old or
// private browsers) each tab hears for itself.

const RECENT = 500;
// How long a refused stream (a full house, a restart) is left alone: longer each time, spread over half as much again.
const FIRST_WAIT = 4000;
const LONGEST_WAIT = 30_000;
// The server says every 15 s that it is still there. A connection that died without a word (a network that went away,
// a laptop that slept) would be called live for many minutes.
const LONGEST_SILENCE = 35_000;

/**
 * Follow the stream. `heard(names)` is called with what changed, `state` with "live" or "lost".
 * `position` is where the page's own reading began. Returns a function that stops.
 */
export function follow({ url, position, person, heard, state }) {
  const key = `contactcentre-live-${person}`;
  const shared = "locks" in navigator && "BroadcastChannel" in window;
  const channel = shared ? new BroadcastChannel(key) : null;
  const stopped = new AbortController();
  const recent = [];
  let at = position;
  let since = position;
  let source = null;
  let timer = 0;
  let watch = 0;
  let wait = FIRST_WAIT;
  let owns = false;
  let standing = "";

  const tell = (message) => channel?.postMessage(message);

  function stand(now) {
    standing = now;
    state(now);
    if (owns) tell({ kind: "state", state: now });
  }

  function hark() {
    clearTimeout(watch);
    watch = setTimeout(() => {
      stand("lost");
      connectLater();
    }, LONGEST_SILENCE);
  }

  function connectLater() {
    clearTimeout(watch);
    source.close();
    timer = setTimeout(connect, wait * (1 + Math.random() / 2));
    wait = Math.min(wait * 1.6, LONGEST_WAIT);
  }

  function connect() {
    clearTimeout(timer);
    hark();
    source = new EventSource(`${url}?from=${encodeURIComponent(at)}`);
    source.addEventListener("open", () => {
      wait = FIRST_WAIT;
      hark();
      stand("live");
    });
    source.addEventListener("still", ({ lastEventId }) => {
      hark();
      if (lastEventId) at = lastEventId;
    });
    source.addEventListener("change", (event) => {
      hark();
      const names = namesOf(event.data);
      if (event.lastEventId) at = event.lastEventId;
      recent.push({ id: at, names });
      if (recent.length > RECENT) since = recent.shift().id;
      tell({ kind: "change", id: at, names });
      heard(names);
    });
    source.addEventListener("error", () => {
      stand("lost");
      // While it is CONNECTING the browser comes back by itself; CLOSED means that it was refused, and it gives up.
      if (source.readyState === EventSource.CLOSED) connectLater();
    });
  }

  // A tab that has just opened read its page at `from`; what came after that it has missed.
  function welcome(from) {
    tell({ kind: "state", state: standing });
    if (!from || from === at) return;
    const missed = recent.filter((one) => later(one.id, from)).flatMap((one) => one.names);
    if (!comparable(since, from) || later(since, from)) tell({ kind: "change", id: at, names: ["refresh"] });
    else if (missed.length) tell({ kind: "change", id: at, names: [...new Set(missed)] });
  }

  if (!shared) {
    connect();
  } else {
    channel.addEventListener("message", ({ data }) => {
      if (data.kind === "hello" && owns) welcome(data.from);
      if (owns || data.kind === "hello") return;
      if (data.kind === "state") stand(data.state);
      if (data.kind === "change") {
        at = data.id;
        heard(data.names);
      }
    });
    navigator.locks
      .request(key, { signal: stopped.signal }, () => {
        owns = true;
        since = at;
        connect();
        return new Promise((resolve) => stopped.signal.addEventListener("abort", resolve));
      })
      .catch((error) => {
        if (error.name !== "AbortError") throw error;
      });
    tell({ kind: "hello", from: position });
  }

  return function stop() {
    stopped.abort();
    clearTimeout(timer);
    clearTimeout(watch);
    source?.close();
    channel?.close();
  };
}

function namesOf(text) {
  try {
    const { names } = JSON.parse(text);
    return Array.isArray(names) ? names : ["refresh"];
  } catch {
    return ["refresh"]; // an event that cannot be read still says that something changed
  }
}

// A position is "epoch:milliseconds-number"; ones of two epochs cannot be compared.
function parts(position) {
  const [, epoch, milliseconds, number] = /^(.*):(\d+)-(\d+)$/.exec(position) ?? [];
  return epoch === undefined ? null : { epoch, milliseconds: Number(milliseconds), number: Number(number) };
}

function comparable(one, other) {
  const [a, b] = [parts(one), parts(other)];
  return Boolean(a && b && a.epoch === b.epoch);
}

function later(one, other) {
  const [a, b] = [parts(one), parts(other)];
  if (!a || !b || a.epoch !== b.epoch) return true;
  return a.milliseconds > b.milliseconds || (a.milliseconds === b.milliseconds && a.number > b.number);
}
