import { compareValues } from "../compare.ts";
import { ServerError } from "../errors.ts";
import { type BSONRegExp, BSONSymbol, type Value } from "../value.ts";
import type { ValueTest } from "./path.ts";

const posixClasses: Record<string, string> = {
  alpha: "a-zA-Z",
  digit: "0-9",
  alnum: "a-zA-Z0-9",
  upper: "A-Z",
  lower: "a-z",
  space: "\\s",
  blank: " \\t",
  punct: "!-\\/:-@\\[-`{-~",
  xdigit: "0-9A-Fa-f",
  word: "\\w",
};

/** Takes out white space and comments outside of classes: PCRE's extended mode. */
function stripExtended(pattern: string): string {
  let result = "";
  let inClass = false;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === "\\") {
      result += char + (pattern[++i] ?? "");
      continue;
    }
    if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    if (!inClass && /\s/.test(char)) continue;
    if (!inClass && char === "#") {
      while (i < pattern.length && pattern[i] !== "\n") i++;
      continue;
    }
    result += char;
  }
  return result;
}

/** Rewrites what PCRE has and JavaScript writes differently. */
function translate(pattern: string): string {
  return pattern
    .replace(/\\Q([\s\S]*?)(?:\\E|$)/g, (_, text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
    .replace(/\[:(\w+):\]/g, (whole, name: string) => posixClasses[name] ?? whole)
    .replace(/\(\?P<(\w+)>/g, "(?<$1>")
    .replace(/\(\?P=(\w+)\)/g, "\\k<$1>")
    .replace(/\(\?>/g, "(?:")
    .replace(/\\A/g, "(?<![\\s\\S])")
    .replace(/\\z/g, "(?![\\s\\S])")
    .replace(/\\Z/g, "(?=\\n?(?![\\s\\S]))")
    .replace(/\\h/g, "[ \\t]")
    .replace(/([*+?}])\+/g, "$1");
}

/**
 * Compiles a PCRE pattern with the server's options (i, m, s, x, u) to a JavaScript regular expression.
 * @throws ServerError 51091 for an invalid pattern, 51108 for an unknown option
 */
export function toJavaScriptRegExp(pattern: string, options: string): RegExp {
  let flags = "";
  let source = pattern;
  let extended = false;
  const addOption = (option: string): void => {
    if (option === "x") extended = true;
    else if ("ims".includes(option)) flags += flags.includes(option) ? "" : option;
    else if (option !== "u") throw new ServerError(51108, `invalid flag in regex options: ${option}`);
  };
  for (const option of options) addOption(option);
  const inline = /^\(\?([imsx]+)\)/.exec(source);
  if (inline !== null) {
    source = source.slice(inline[0].length);
    for (const option of inline[1]!) addOption(option);
  }
  source = translate(extended ? stripExtended(source) : source);
  try {
    return new RegExp(source, `${flags}u`);
  } catch {
    try {
      return new RegExp(source, flags);
    } catch (error) {
      throw new ServerError(51091, `Regular expression is invalid: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}

/** A test for strings (and symbols) that match, or for an equal regular expression stored as a value. */
export function compileRegex(operand: Value): ValueTest {
  const { pattern, options } = operand as BSONRegExp;
  if (pattern.includes("\0")) {
    throw new ServerError(51091, "Regular expression cannot contain an embedded null byte");
  }
  const regExp = toJavaScriptRegExp(pattern, options);
  return (value) => {
    if (typeof value === "string") return regExp.test(value);
    if (typeof value !== "object" || value === null || value instanceof Map || Array.isArray(value))
      return false;
    if (value._bsontype === "BSONRegExp") return compareValues(value, operand) === 0;
    return value instanceof BSONSymbol && regExp.test(value.value);
  };
}
