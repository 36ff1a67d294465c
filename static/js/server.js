// Talking to the server: one way to ask, one way to send, the same answer for everything that can go wrong.

const TIME_LIMIT = 20_000;
let clockAhead = 0;
let isSignedOut = false;

/** The server's time in milliseconds: a laptop's clock may be minutes wrong, and reply windows are not. */
export function now() {
  return Date.now() + clockAhead;
}

function csrfToken() {
  // The cookie first: signing in again in another tab changes the token, and this page's own is then refused.
  const meta = document.querySelector("meta[name=csrf-token]");
  const name = meta?.dataset.cookie || "contactcentre_csrf";
  const cookie = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return cookie ? decodeURIComponent(cookie.slice(name.length + 1)) : (meta?.content ?? "");
}

/** The headers of every request of ours. */
export function headers() {
  return { "X-CSRFToken": csrfToken(), "X-Requested-With": "fetch" };
}

/** The address that leads to the sign-in and from there back here; `isWriting`: it says that the words are kept. */
export function signInAgain({ isWriting = false } = {}) {
  const query = new URLSearchParams({ next: location.pathname + location.search });
  if (isWriting) query.set("writing", "1");
  return `/sign-in/?${query}`;
}

function noticed(response) {
  const said = Date.parse(response.headers.get("Date") ?? "");
  // The header counts whole seconds, so that less than two says nothing.
  if (said && Math.abs(said - Date.now() - clockAhead) > 2000) clockAhead = said - Date.now();
  // Without a session a page redirects to the sign-in, which fetch follows silently.
  const sentAway = response.redirected && /sign-?in|login/.test(new URL(response.url).pathname);
  if (response.status === 401 || sentAway) {
    if (!isSignedOut) document.dispatchEvent(new CustomEvent("signed-out"));
    isSignedOut = true;
    return 401;
  }
  if (isSignedOut && response.ok) {
    isSignedOut = false;
    document.dispatchEvent(new CustomEvent("signed-in"));
  }
  return response.status;
}

/**
 * Ask for something. Resolves to {status, text, etag, response}; status 0 where no answer came.
 * Raises AbortError only when the given signal was aborted.
 */
export async function get(url, { signal, etag, also = {} } = {}) {
  const limit = AbortSignal.timeout(TIME_LIMIT);
  const given = { ...headers(), ...also, ...(etag ? { "If-None-Match": etag } : {}) };
  try {
    const response = await fetch(url, {
      headers: given,
      cache: "no-store",
      credentials: "same-origin",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    const text = response.status === 304 ? "" : await response.text();
    return { status: noticed(response), text, etag: response.headers.get("ETag") ?? "", url: response.url };
  } catch (error) {
    if (signal?.aborted) throw error;
    return { status: 0, text: "", etag: "", url };
  }
}

/** Ask for JSON: the value, or null where none came. */
export async function getJson(url) {
  const { status, text } = await get(url);
  return status === 200 ? parsed(text) : null;
}

/**
 * Send a form. `fields` is FormData, or an object whose lists become repeated fields. Resolves to
 * {status, data}: data is the answer's JSON or {}, status 0 where no answer came. `last` lets it outlive the page.
 */
export async function post(url, fields = {}, { last = false } = {}) {
  const body = fields instanceof FormData ? fields : encoded(fields);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: headers(),
      body,
      credentials: "same-origin",
      keepalive: last,
      signal: last ? undefined : AbortSignal.timeout(TIME_LIMIT),
    });
    const text = await response.text();
    return { status: noticed(response), data: parsed(text) ?? {} };
  } catch {
    // No answer: offline, a restart, a time limit. The caller says so; there is nothing else to know.
    return { status: 0, data: {} };
  }
}

function encoded(fields) {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    for (const one of Array.isArray(value) ? value : [value]) body.append(name, one);
  }
  return body;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // an error page instead of JSON: the status says enough
  }
}
