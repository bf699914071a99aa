/** Terraform's machine-readable lines (`-json`): https://developer.hashicorp.com/terraform/internals/machine-readable-ui */

export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly summary: string;
  readonly detail: string;
  /** The resource it is about, or the file and line. */
  readonly where?: string;
}

/** What one line says; undefined when a person needs nothing of it. */
export type Message =
  | { readonly kind: "progress"; readonly text: string }
  | { readonly kind: "diagnostic"; readonly diagnostic: Diagnostic };

/** Lines whose `@message` is fit to be shown: Terraform puts addresses and identifiers there, never attributes. */
const shown = new Set([
  ...["planned_change", "resource_drift", "change_summary"],
  ...["apply_start", "apply_progress", "apply_complete", "apply_errored"],
]);

type Json = Readonly<Record<string, unknown>>;

function record(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function readMessage(line: string): Message | undefined {
  if (!line.startsWith("{")) return undefined;
  let parsed: Json;
  try {
    parsed = record(JSON.parse(line));
  } catch {
    return undefined;
  }
  if (parsed.type === "diagnostic") return { kind: "diagnostic", diagnostic: readDiagnostic(parsed) };
  if (!shown.has(text(parsed.type))) return undefined;
  return { kind: "progress", text: text(parsed["@message"]) };
}

/** Without the snippet: it quotes the configuration, and values beside it. */
function readDiagnostic(parsed: Json): Diagnostic {
  const found = record(parsed.diagnostic);
  const range = record(found.range);
  const line = record(range.start).line;
  const where = text(found.address) || (text(range.filename) && `${text(range.filename)}:${String(line)}`);
  return {
    severity: found.severity === "warning" ? "warning" : "error",
    summary: text(found.summary),
    detail: text(found.detail),
    ...(where ? { where } : {}),
  };
}

/** One line: where, what, and the detail. */
export function diagnosticText({ summary, detail, where }: Diagnostic): string {
  const said = [where, summary, detail.trim()].filter((part) => part !== undefined && part !== "");
  return said.join(": ").replace(/\s*\n\s*/g, " ");
}
