/** A code span no text ends: its fence is longer than any run of backticks inside. */
export function code(text: string): string {
  const runs = text.match(/`+/g) ?? [];
  const fence = "`".repeat(Math.max(0, ...runs.map((run) => run.length)) + 1);
  const padding = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return `${fence}${padding}${text}${padding}${fence}`;
}

/** Names are other people's text: no markup, mention or link comes of them. */
export function plain(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\`*_{}[\]<>#|~@&!]/g, (character) => `&#${character.codePointAt(0)};`);
}

/** As many lines as there is room for, and how many were left out; `where` is where those are. */
export function within(lines: readonly string[], room: number, where = "the JSON"): string[] {
  let left = room - 100;
  const kept = lines.findIndex((line) => {
    left -= line.length + 1;
    return left < 0;
  });
  if (kept < 0) return [...lines];
  return [...lines.slice(0, kept), "", `${lines.length - kept} more lines are in ${where}.`, ""];
}
