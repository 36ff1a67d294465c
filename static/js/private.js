// Personal data in words that everybody will be able to read. A careful guess: it asks, it does not forbid.

const MAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gu;
const ACCOUNT = /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g;
const DIGITS = /(?<![\w/.#-])\+?\(?\d(?:[ ()/.-]{0,2}\d){7,18}(?![\w/])/g;
const LINK = /https?:\/\/\S+/gi;
// 2026-11-20 and 20.11.2026 14:02 are no telephone numbers.
const DATE = /^(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{4})/;

/**
 * What a text gives away, in order: {kind, found}; kind is "mail_address", "bank_account", "card_number" or
 * "phone_number", found the words as they stand.
 */
export function personalData(given) {
  let text = given.replace(LINK, (link) => " ".repeat(link.length));
  const results = [];
  const take = (pattern, kindOf) => {
    text = text.replace(pattern, (found, ...rest) => {
      const kind = kindOf(found);
      if (!kind) return found;
      results.push({ kind, found: found.trim(), at: rest.at(-2) });
      return " ".repeat(found.length);
    });
  };
  take(MAIL, () => "mail_address");
  take(ACCOUNT, (found) => (isAccount(found) ? "bank_account" : null));
  take(DIGITS, numberKind);
  return results.sort((one, other) => one.at - other.at).map(({ kind, found }) => ({ kind, found }));
}

function numberKind(found) {
  if (DATE.test(found)) return null;
  const digits = found.replace(/\D/g, "");
  if (digits.length >= 13 && isCard(digits)) return "card_number";
  // Telephone numbers begin with + or 0; anything else is more likely an order or a parcel.
  return /^\(?(?:\+|0)/.test(found) && digits.length >= 9 && digits.length <= 15 ? "phone_number" : null;
}

// ISO 13616: the first four characters to the end, letters as numbers, the rest of a division by 97 is 1.
function isAccount(found) {
  const text = found.replace(/ /g, "");
  if (text.length < 15 || text.length > 34) return false;
  let rest = 0;
  for (const character of text.slice(4) + text.slice(0, 4)) {
    for (const digit of String(parseInt(character, 36))) rest = (rest * 10 + Number(digit)) % 97;
  }
  return rest === 1;
}

// ISO/IEC 7812-1 annex B (Luhn): every second digit from the right doubled.
function isCard(digits) {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    let digit = Number(digits[digits.length - 1 - index]);
    if (index % 2) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 === 0;
}
