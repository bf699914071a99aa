const simpleEscapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "'": "'",
  s: " ",
};

/**
 * Splits a value into words by systemd.syntax(7) "Quoting": whitespace separates, single and double quotes group
 * (also inside a word), C escapes are decoded in and outside of quotes.
 * Throws an Error for a quote that isn't closed or an escape that doesn't exist.
 */
export function splitWords(value: string): string[] {
  const words: string[] = [];
  let word = "";
  let inWord = false;
  let quote = "";
  for (let index = 0; index < value.length; index++) {
    const character = value[index]!;
    if (character === "\\") {
      const { text, length } = decodeEscape(value, index);
      word += text;
      inWord = true;
      index += length - 1;
    } else if (quote !== "") {
      if (character === quote) quote = "";
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      inWord = true;
    } else if (/\s/.test(character)) {
      if (inWord) words.push(word);
      word = "";
      inWord = false;
    } else {
      word += character;
      inWord = true;
    }
  }
  if (quote !== "") throw new Error(`quote ${quote} is not closed in: ${value}`);
  if (inWord) words.push(word);
  return words;
}

function decodeEscape(value: string, at: number): { text: string; length: number } {
  const next = value[at + 1];
  if (next === undefined) throw new Error(`backslash at the end of: ${value}`);
  const simple = simpleEscapes[next];
  if (simple !== undefined) return { text: simple, length: 2 };
  const coded = /^\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(
    value.slice(at),
  );
  if (!coded) throw new Error(`escape \\${next} is not known in: ${value}`);
  const code =
    coded[2] !== undefined
      ? Number.parseInt(coded[2], 8)
      : Number.parseInt((coded[1] ?? coded[3] ?? coded[4])!, 16);
  return { text: String.fromCodePoint(code), length: coded[0].length };
}

/**
 * Expands `${NAME}` inside a word and `$NAME` as a word of its own (which is then split at whitespace), and `$$`
 * to `$`, by systemd.service(5) "Command lines". A variable that isn't set is empty; as a word of its own it goes.
 */
export function expandVariables(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): string[] {
  return words.flatMap((word) => {
    const alone = /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(word);
    if (alone) return (environment[alone[1]!] ?? "").split(/\s+/).filter((part) => part !== "");
    return [
      word.replace(/\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name?: string) =>
        name === undefined ? "$" : (environment[name] ?? ""),
      ),
    ];
  });
}

/** `Environment=` words: `NAME=value`; anything else is reported, as systemd does, and left out. */
export function parseAssignments(
  words: readonly string[],
  warn: (message: string) => void,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const word of words) {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(word);
    if (match) result[match[1]!] = match[2]!;
    else warn(`Invalid environment assignment, ignoring: ${word}`);
  }
  return result;
}

/**
 * Parses an environment file (systemd.exec(5) `EnvironmentFile=`): `#`/`;` comments, one assignment a line, shell-like
 * quotes without expansion, a backslash at the end of the line continues it, outside quotes it escapes.
 */
export function parseEnvironmentFile(text: string): Record<string, string> {
  const result: Record<string, string> = {};
  const pattern = /^[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*=/;
  let rest = text.replaceAll("\r\n", "\n");
  while (rest !== "") {
    const assignment = /^[ \t]*[#;]/.test(rest) ? null : pattern.exec(rest);
    if (!assignment) {
      const end = rest.indexOf("\n");
      rest = end < 0 ? "" : rest.slice(end + 1);
      continue;
    }
    const { value, length } = readEnvironmentValue(rest.slice(assignment[0].length));
    result[assignment[1]!] = value;
    rest = rest.slice(assignment[0].length + length);
  }
  return result;
}

/** The parts a value is made of, tried in this order: each gives what it adds to the value. */
const valueParts: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  [/'([^']*)(?:'|$)/y, (match) => match[1]!],
  // Inside double quotes a backslash is only special before the characters the shell says.
  [/"((?:\\[\s\S]|[^"\\])*)(?:"|$)/y, (match) => match[1]!.replace(/\\([\s\S])/g, escapedInQuotes)],
  [/\\\n/y, () => ""],
  [/\\([\s\S])/y, (match) => match[1]!],
  [/[^\s'"\\]+/y, (match) => match[0]],
  // Blanks count between two parts, not before the end of the line.
  [/[^\S\n]+(?!\n|[^\S\n]|$)/y, (match) => match[0]],
];

function escapedInQuotes(whole: string, character: string): string {
  if (character === "\n") return "";
  return '"\\`$'.includes(character) ? character : whole;
}

function readEnvironmentValue(text: string): { value: string; length: number } {
  let value = "";
  let at = /^[^\S\n]*/.exec(text)![0].length;
  for (;;) {
    const match = firstMatch(text, at);
    if (!match) break;
    value += match.adds;
    at += match.length;
  }
  const end = text.indexOf("\n", at);
  return { value, length: end < 0 ? text.length : end + 1 };
}

function firstMatch(text: string, at: number): { adds: string; length: number } | undefined {
  for (const [pattern, adds] of valueParts) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) return { adds: adds(match), length: match[0].length };
  }
  return undefined;
}
