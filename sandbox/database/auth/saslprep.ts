/** SASLprep (RFC 4013) for passwords, as far as the server applies it: mapping, NFKC, prohibited output. */
import { ServerError } from "../engine/errors.ts";

const SPACES = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g;
// RFC 3454 B.1: mapped to nothing. Listed one by one: a character class would treat joiners as sequences.
const NOTHING = new RegExp(
  [
    "\\u00ad",
    "\\u034f",
    "\\u1806",
    "[\\u180b-\\u180d]",
    "[\\u200b-\\u200d]",
    "\\u2060",
    "[\\ufe00-\\ufe0f]",
    "\\ufeff",
  ].join("|"),
  "g",
);
/** RFC 3454 C: control characters (general category Cc), private use, and what changes how text is shown. */
const PROHIBITED =
  /[\p{Cc}\u06dd\u070f\u180e\u2028\u2029\ufff9-\uffff\ue000-\uf8ff\u2ff0-\u2ffb\u200e\u200f\u202a-\u202e\u206a-\u206f]/u;

/** @throws ServerError BadValue when the text holds a character that may not stand in a password */
export function saslPrep(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const prepared = text.replace(SPACES, " ").replace(NOTHING, "").normalize("NFKC");
  if (PROHIBITED.test(prepared)) {
    throw new ServerError(
      "BadValue",
      "Error preflighting UTF-8 conversion: prohibited character in password",
    );
  }
  return prepared;
}
