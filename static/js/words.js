// What this page says, in the language of the page.
//
// The server prints the words, translated, into <template id="words">; English stands here for pages without it.
// A value goes where its name stands in braces: word("leaves_in", {n: 8}).

export const ENGLISH = {
  already_gone: "You no longer see {tickets}.",
  answer_lost: "No answer came back. Please look at the timeline before you send it again. Your words are kept.",
  back_in_box: "Taken back. Your words are in the box again.",
  back_on_ticket: "Taken back. Your words are a draft on ticket {ticket}.",
  bank_account: "a bank account number",
  card_number: "a card number",
  counted: "{network} counts {n} of {limit}",
  counted_plain: "{n} of {limit} characters",
  dismiss: "Close this",
  draft_saved: "Draft saved {time}",
  draft_unsaved: "Not saved yet. Trying again…",
  everybody_reads: "Everybody can read this, and it holds {what}: {found}",
  failed_load: "This could not be loaded. What you wrote is kept.",
  file_failed: "{name} could not be attached. Please try again.",
  file_waits: "A file is still on its way. Please send it in a moment.",
  form_anew: "Begin anew",
  form_back: "What you had typed here is back.",
  gone: "You no longer see this ticket. What you wrote is kept.",
  is_looking: "{name} is looking too",
  is_writing: "{name} is writing",
  leaves_in: "Leaves in {n} s",
  left_over: "{n} too many",
  live: "Live",
  live_offline: "Offline",
  live_reconnecting: "Reconnecting…",
  mail_address: "a mail address",
  network_x: "X",
  new_message: "New message",
  new_message_from: "New message from {name}",
  new_messages: "New messages",
  not_changed: "That did not work. Nothing was changed.",
  not_sent: "Not sent. Your words are kept.",
  note_kept: "Note kept.",
  note_lost: "Not kept yet. Your words are still here.",
  nothing_to_take_back: "There is nothing to take back.",
  now: "now",
  nowhere_to_write: "Nothing can be written on this ticket: it is over, or writing is switched off.",
  minutes: "{n} min",
  minutes_ago: "{n} min ago",
  hours: "{h} h {m}",
  hours_plain: "{h} h",
  days: "{d} d",
  on_its_way: "On its way…",
  overdue: "overdue {time}",
  phone_number: "a phone number",
  refused: "Ticket {ticket}: {why}",
  remove_file: "Remove {name}",
  selected: "{n} selected",
  send_anyway: "Send all the same",
  send_other_way: "Use {surface}",
  show_it: "Show it",
  sent_elsewhere: "You have sent this from another tab.",
  sign_in: "Sign in again",
  signed_out: "You are signed out. Your words are kept.",
  take_back: "Take back",
  take_out: "Take it out",
  too_long: "The text is {n} over the limit.",
  try_again: "Try again",
  timer_start: "Start the clock",
  timer_stop: "Stop the clock",
  undo: "Undo",
  uploading: "{name}, {percent} %",
  window_closed: "closed",
  write_something: "There is nothing to send yet.",
};

let printed = null;

function read() {
  printed = {};
  const holder = document.getElementById("words");
  for (const span of holder?.content?.querySelectorAll("[data-key]") ?? []) {
    printed[span.dataset.key] = span.textContent;
  }
}

/** The words of this key with the values put in; the key itself for one that nobody wrote. */
export function word(key, values = {}) {
  if (!printed) read();
  const text = printed[key] ?? ENGLISH[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
