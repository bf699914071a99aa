/** One comment with a section for each environment: each job writes its own and leaves the others. Pure text. */

/** What GitHub takes of a comment or an issue, in characters. */
export const bodyLengthMax = 65_536;
const clippedNote = "\n\n*Cut off: no room for more in a comment. The whole text is in the job's summary.*\n";

export function markerOf(name: string): string {
  return `<!-- roundtrip:${name} -->`;
}

/** Whether a body is the one a marker names: the marker is its first line, not something quoted in it. */
export function bears(body: string | null | undefined, marker: string): boolean {
  return (body ?? "").split(/\r?\n/, 1)[0]?.trim() === marker;
}

/**
 * The body with `text` as section `name`; sections stand in the order of `order`, each with an equal share of the room
 * that GitHub gives. What was there of other names stays.
 */
export function withSection(
  before: string,
  { marker, order, name, text }: { marker: string; order: readonly string[]; name: string; text: string },
): string {
  const sections = new Map(order.map((each) => [each, sectionIn(before, each)]));
  sections.set(name, inert(text));
  const filled = order.flatMap((each) => {
    const content = sections.get(each);
    return content === undefined ? [] : [[each, content] as const];
  });
  const overhead = marker.length + 1 + order.reduce((sum, each) => sum + framed(each, "").length + 1, 0);
  const share = Math.floor((bodyLengthMax - overhead) / Math.max(1, order.length));
  return [marker, ...filled.map(([each, content]) => framed(each, clipped(content, share)))].join("\n");
}

function framed(name: string, content: string): string {
  return `<!-- roundtrip:section:${name} -->\n${content}\n<!-- roundtrip:end:${name} -->`;
}

function sectionIn(body: string, name: string): string | undefined {
  const begin = `<!-- roundtrip:section:${name} -->\n`;
  const start = body.replaceAll("\r\n", "\n").indexOf(begin);
  if (start < 0) return undefined;
  const from = body.replaceAll("\r\n", "\n").slice(start + begin.length);
  const end = from.indexOf(`\n<!-- roundtrip:end:${name} -->`);
  return end < 0 ? undefined : from.slice(0, end);
}

/** No text of a plan can pass for a marker of the comment. */
function inert(text: string): string {
  return text.trimEnd().replaceAll("<!-- roundtrip:", "<!-- roundtrip :");
}

/** Cut at the end of a line, with every `<details>` closed, so that what follows is still shown. */
export function clipped(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const closing = "\n</details>";
  const cut = text.slice(0, lengthMax - clippedNote.length - 20 * closing.length);
  const whole = cut.slice(0, Math.max(0, cut.lastIndexOf("\n")));
  const count = (tag: string) => whole.split(tag).length - 1;
  const open = Math.min(20, Math.max(0, count("<details>") - count("</details>")));
  return `${whole}${closing.repeat(open)}${clippedNote}`;
}
