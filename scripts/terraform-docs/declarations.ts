/** What a folder of Terraform files declares to its caller. Reads the form `terraform fmt` gives, which a test holds. */
export interface Variable {
  readonly name: string;
  readonly description: string;
  /** As it is written, on one line. */
  readonly type: string;
  /** As it is written, line by line. */
  readonly typeLines: readonly string[];
  /** As it is written, on one line; undefined where the caller must give a value. */
  readonly default: string | undefined;
  /** The error message of each validation, as it is written. */
  readonly refusals: readonly string[];
}

export interface Output {
  readonly name: string;
  readonly description: string;
  readonly sensitive: boolean;
}

export interface Declarations {
  readonly variables: readonly Variable[];
  readonly outputs: readonly Output[];
}

/**
 * Variables and outputs of the files' texts, in the order they are written. Throws where a block isn't in the form
 * `terraform fmt` gives, rather than leaving it out.
 */
export function declarationsOf(files: readonly string[]): Declarations {
  const variables = files.flatMap((text) => blocks(text, "variable")).map(variableOf);
  const outputs = files.flatMap((text) => blocks(text, "output")).map(outputOf);
  return { variables, outputs };
}

interface Block {
  readonly name: string;
  readonly lines: readonly string[];
}

function blocks(text: string, kind: string): Block[] {
  const found = [...text.matchAll(new RegExp(`^${kind} "(\\w+)" \\{\\n([\\s\\S]*?)^\\}`, "gm"))];
  const written = text.match(new RegExp(`^\\s*${kind}\\s+"`, "gm"))?.length ?? 0;
  if (found.length !== written)
    throw new Error(`${written} ${kind} blocks, but ${found.length} in the form of terraform fmt`);
  return found.map(([, name = "", body = ""]) => ({ name, lines: body.split("\n") }));
}

function variableOf({ name, lines }: Block): Variable {
  const attributes = attributesOf(lines);
  const type = attributes.get("type") ?? [];
  const validations = lines.filter((line) => line === "  validation {").length;
  const refusals = lines.flatMap((line) => /^ {4}error_message\s*= "(.*)"$/.exec(line)?.[1] ?? []);
  if (refusals.length !== validations)
    throw new Error(`variable ${name}: ${validations} validations, ${refusals.length} error messages`);
  return {
    name,
    description: textOf(attributes.get("description") ?? []),
    type: oneLine(type),
    typeLines: type.filter((line) => line !== "").map((line) => line.replace(/^ {2}/, "")),
    default: attributes.has("default") ? oneLine(attributes.get("default") ?? []) : undefined,
    refusals,
  };
}

function outputOf({ name, lines }: Block): Output {
  const attributes = attributesOf(lines);
  return {
    name,
    description: textOf(attributes.get("description") ?? []),
    sensitive: attributes.get("sensitive")?.[0] === "true",
  };
}

/** The lines of each attribute of a block itself; nested blocks are left out. */
function attributesOf(lines: readonly string[]): ReadonlyMap<string, string[]> {
  const attributes = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const line of lines) {
    const [, name, value] = /^ {2}(\w+)\s*= (.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) {
      current = [value];
      attributes.set(name, current);
    } else if (/^ {2}\w+ (?:"\w+" )?\{$/.test(line)) current = undefined;
    else current?.push(line);
  }
  return attributes;
}

/** A quoted or a heredoc string as one paragraph. */
function textOf([first = "", ...rest]: readonly string[]): string {
  if (!first.startsWith("<<-")) return first.replace(/^"|"$/g, "").replaceAll('\\"', '"');
  const end = rest.findIndex((line) => line.trim() === first.slice(3));
  return rest
    .slice(0, end)
    .map((line) => line.trim())
    .join(" ");
}

/** A type or value on one line, as one would write it there. */
function oneLine(lines: readonly string[]): string {
  const kept = lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
  return kept
    .map((line, index) => {
      const opens = /[({[]$/.test(line);
      const next = kept[index + 1] ?? "";
      if (opens || next === "" || line.endsWith(",")) return line;
      return /^[)}\]]/.test(next) ? line : `${line},`;
    })
    .join(" ")
    .replace(/,? +([)\]])/g, "$1")
    .replace(/([([]) +/g, "$1")
    .replace(/, \}/g, " }")
    .replace(/(\w) +=/g, "$1 =");
}
