import type { Declarations, Output, Variable } from "./declarations.ts";

/** What stands between the two marks of a page is written by the generator alone. */
const marks = {
  begin: "<!-- inputs and outputs: bun scripts/generate-terraform-docs.ts -->",
  end: "<!-- end of inputs and outputs -->",
} as const;

/** A type longer than this stands below the table, line by line. */
const typeLengthMax = 40;

/** The page with its tables as the declarations have them; they come at its end where it has no marks yet. */
export function withTables(page: string, { variables, outputs }: Declarations): string {
  const tables = [marks.begin, ...inputs(variables), ...outputTable(outputs), marks.end].join("\n");
  const [begin, end] = [page.indexOf(marks.begin), page.indexOf(marks.end)];
  if (begin === -1 && end === -1) return `${page.trimEnd()}\n\n${tables}\n`;
  if (begin === -1 || end < begin) throw new Error(`expected ${marks.begin} before ${marks.end}`);
  return `${page.slice(0, begin)}${tables}${page.slice(end + marks.end.length)}`;
}

function inputs(variables: readonly Variable[]): string[] {
  if (variables.length === 0) return [];
  const rows = variables.map((variable) => {
    const value = variable.default === undefined ? "required" : code(variable.default);
    return row([
      code(variable.name),
      isLong(variable) ? `${kind(variable)}, below` : code(variable.type),
      value,
      variable.description,
    ]);
  });
  const types = variables
    .filter(isLong)
    .flatMap(({ name, typeLines }) => ["", `\`${name}\`:`, "", "```hcl", ...typeLines, "```"]);
  return [
    "## Inputs",
    "",
    row(["Name", "Type", "Default", "What it is"]),
    "|---|---|---|---|",
    ...rows,
    ...types,
    "",
  ];
}

function outputTable(outputs: readonly Output[]): string[] {
  if (outputs.length === 0) return [];
  const rows = outputs.map(({ name, description, sensitive }) =>
    row([code(name), sensitive ? `${description} Sensitive.` : description]),
  );
  return ["## Outputs", "", row(["Name", "What it is"]), "|---|---|", ...rows, ""];
}

const isLong = ({ type }: Variable) => type.length > typeLengthMax;

/** `map(object({ …` is a map of objects. */
function kind({ type }: Variable): string {
  const [outer = "", inner] = type.split("(");
  return inner === "object" || inner === "map" ? `${outer} of ${inner}s` : outer;
}

const code = (text: string) => `\`${text.replaceAll("|", "\\|")}\``;

/** One line of a table; in text a bar would end the cell and a bracket begin HTML. */
function row(cells: readonly string[]): string {
  const escaped = cells.map((cell) =>
    cell.startsWith("`") ? cell : cell.replaceAll("|", "\\|").replaceAll("<", "&lt;"),
  );
  return `| ${escaped.join(" | ")} |`;
}
