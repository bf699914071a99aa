/** A name in a DMS selection rule: `%` any text, `_` any one character, `[ab]` and `[a-d]` one of, `[_]` itself. */
export interface DmsPattern {
  readonly text: string;
  /** The one name it stands for when `_` is taken literally; undefined for `%` and sets of characters. */
  readonly literal?: string;
  /** Whether DMS reads it as more than that one name. */
  readonly wild: boolean;
  matches(name: string): boolean;
}

/** Reads a name as DMS does under `include` and `exclude`. */
export function dmsPattern(text: string): DmsPattern {
  const parts = text.match(/\[[^\]]*\]|[\s\S]/gu) ?? [];
  const escaped = (literal: string) => literal.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  let literal: string | undefined = "";
  let wild = false;
  const source = parts.map((part) => {
    const inside = part.length > 2 && part.startsWith("[") ? part.slice(1, -1) : undefined;
    if (inside !== undefined && [...inside].length > 1) {
      [literal, wild] = [undefined, true];
      return `[${inside.replace(/[\\^[\]]/g, "\\$&")}]`;
    }
    if (part === "%") {
      [literal, wild] = [undefined, true];
      return "[^]*";
    }
    if (part === "_") wild = true;
    const character = inside ?? part;
    if (literal !== undefined) literal += character;
    return part === "_" ? "[^]" : escaped(character);
  });
  const expression = new RegExp(`^${source.join("")}$`, "u");
  return {
    text,
    ...(literal === undefined ? {} : { literal }),
    wild,
    matches: (name) => expression.test(name),
  };
}
