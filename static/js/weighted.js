// How long a text is where it goes: X counts weighted characters, the others plain ones.
//
// The same rule as tickets/weight.py, which decides; this one only shows it while one types.
// X, "Counting characters", configuration v3: these ranges weigh 1, everything else 2; a link counts 23.

const LIGHT = [[0, 4351], [8192, 8205], [8208, 8223], [8242, 8247]];
// Addresses and bare names of sites: see tickets/weight.py.
const TOP =
  "com|org|net|info|biz|edu|gov|int|mil|name|pro|app|dev|shop|store|online|site|blog|cloud|tech|xyz|club|live|news|" +
  "page|link|help|support|email|agency|digital|media|services|today|world|london|berlin|[a-z]{2}";
const LETTER = "a-z0-9\\u00c0-\\u024f\\u0400-\\u04ff";
const LINK = new RegExp(
  `(?:https?://[${LETTER}][${LETTER}_.-]*[${LETTER}]` +
    `|(?<![${LETTER}_@$#./-])(?:[${LETTER}](?:[${LETTER}_-]*[${LETTER}])?\\.)+(?:${TOP})(?![${LETTER}@+-]))` +
    `(?::[0-9]+)?(?:/(?:[${LETTER}!*';:=+,.$/%#\\[\\]_~@|&()-]*[${LETTER}=_#/+-])?)?` +
    `(?:\\?[${LETTER}!?*'@();:&=+$/%#\\[\\]_.,~|-]*[${LETTER}_&=#/-])?`,
  "gi",
);
const LINK_WEIGHT = 23;
const JOINER = 0x200d;
const VARIATION = 0xfe0f;
const KEYCAP = 0x20e3;
const KEYS = new Set(Array.from("0123456789#*", (key) => key.codePointAt(0)));
const SIGNS = new Set(Array.from("©®‼⁉™ℹ↔↕↖↗↘↙↩↪⌚⌛⌨⏏Ⓜ▪▫▶◀◻◼◽◾⤴⤵〰〽㊗㊙", (sign) => sign.codePointAt(0)));

const isSkin = (code) => code >= 0x1f3fb && code < 0x1f400;
const isFlag = (code) => code >= 0x1f1e6 && code < 0x1f200;
const isLight = (code) => LIGHT.some(([low, high]) => low <= code && code <= high);
const isEmoji = (code) =>
  (code >= 0x1f000 && code <= 0x1faff) || (code >= 0x2600 && code <= 0x27bf) || (code >= 0x2b00 && code <= 0x2bff) ||
  (code >= 0x23e9 && code <= 0x23fa) || SIGNS.has(code);
const isTag = (code) => code >= 0xe0020 && code < 0xe0080;

/** X's weighted length: 1 for the light ranges, 2 for the rest and for a whole emoji sequence, 23 for a link. */
export function weighted(given) {
  const text = given.normalize("NFC");
  let total = 0;
  let position = 0;
  for (const match of text.matchAll(LINK)) {
    total += plain(text.slice(position, match.index)) + LINK_WEIGHT;
    position = match.index + match[0].length;
  }
  return total + plain(text.slice(position));
}

/** The length as a surface's network counts it: code points, which is what the server counts too. */
export function length(text, surface) {
  return surface === "x:mention" ? weighted(text) : Array.from(text).length;
}

function plain(text) {
  const codes = Array.from(text, (character) => character.codePointAt(0));
  let total = 0;
  let index = 0;
  while (index < codes.length) {
    const keycap = keycapEnd(codes, index);
    if (keycap || isEmoji(codes[index])) {
      index = keycap || sequenceEnd(codes, index);
      total += 2;
    } else {
      total += isLight(codes[index]) ? 1 : 2;
      index += 1;
    }
  }
  return total;
}

// Where a digit on a key ends that begins here; 0 where none does.
function keycapEnd(codes, start) {
  if (!KEYS.has(codes[start])) return 0;
  const end = codes[start + 1] === VARIATION ? start + 2 : start + 1;
  return codes[end] === KEYCAP ? end + 1 : 0;
}

// Where an emoji sequence that begins here ends: flags in pairs, skin tones, and what is joined.
function sequenceEnd(codes, start) {
  if (isFlag(codes[start])) return isFlag(codes[start + 1]) ? start + 2 : start + 1;
  let index = start + 1;
  while (index < codes.length) {
    if (codes[index] === VARIATION || isSkin(codes[index]) || isTag(codes[index])) index += 1;
    else if (codes[index] === JOINER && index + 1 < codes.length) index += 2;
    else break;
  }
  return index;
}
