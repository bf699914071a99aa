/** One assignment of a unit file, in file order; systemd lets a key repeat and an empty value reset a list. */
export interface Assignment {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/**
 * Parses the text of a unit file (systemd.syntax(7)): sections, `key=value`, comments with `#` or `;`, lines
 * continued by a trailing backslash (comments in between are skipped, the backslash becomes a space).
 * Throws an Error naming the line when text stands outside a section or is no assignment.
 */
export function parseUnitFile(text: string): Assignment[] {
  const assignments: Assignment[] = [];
  let section = "";
  for (const { content, line } of logicalLines(text)) {
    const header = /^\[([^\]]+)\]$/.exec(content);
    if (header) {
      section = header[1]!;
      continue;
    }
    const equals = content.indexOf("=");
    if (section === "" || equals < 1)
      throw new Error(`line ${line}: expected [Section] or key=value, got "${content}"`);
    assignments.push({
      section,
      key: content.slice(0, equals).trim(),
      value: content.slice(equals + 1).trim(),
      line,
    });
  }
  return assignments;
}

function* logicalLines(text: string): Generator<{ content: string; line: number }> {
  let pending = "";
  let startedAt = 0;
  for (const [index, raw] of text.split("\n").entries()) {
    const trimmed = raw.trim();
    if (/^[#;]/.test(trimmed)) continue;
    if (pending === "") startedAt = index + 1;
    const joined = pending + (pending === "" ? raw.trimStart() : trimmed);
    if (raw.endsWith("\\")) {
      pending = `${joined.slice(0, -1)} `;
      continue;
    }
    pending = "";
    if (joined.trim() !== "") yield { content: joined.trim(), line: startedAt };
  }
  if (pending.trim() !== "") yield { content: pending.trim(), line: startedAt };
}

/** Replaces the specifiers of systemd.unit(5) that our units may use; an unknown one is an error, as in systemd. */
export function expandSpecifiers(value: string, specifiers: Readonly<Record<string, string>>): string {
  return value.replace(/%(.)/gs, (whole, letter: string) => {
    if (letter === "%") return "%";
    const found = specifiers[letter];
    if (found === undefined) throw new Error(`specifier ${whole} is not known`);
    return found;
  });
}

/** `a@b.service` -> prefix `a`, instance `b`; `a.service` -> prefix `a`, instance empty. */
export function splitUnitName(name: string): {
  prefix: string;
  instance: string;
  type: string;
  template: string;
} {
  const dot = name.lastIndexOf(".");
  const stem = dot < 0 ? name : name.slice(0, dot);
  const type = dot < 0 ? "" : name.slice(dot + 1);
  const at = stem.indexOf("@");
  if (at < 0) return { prefix: stem, instance: "", type, template: "" };
  return {
    prefix: stem.slice(0, at),
    instance: stem.slice(at + 1),
    type,
    template: `${stem.slice(0, at)}@.${type}`,
  };
}
