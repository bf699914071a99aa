/** A preview as a person reads it: at the terminal, and as checks in the summary. */
import type { RestoredNamespace, RestorePreview } from "../../core/backup/restores.ts";
import { words } from "../../core/backup/span.ts";
import type { Check } from "../../core/failback/documents.ts";
import { counted } from "../../core/plan/words.ts";

const namespacesMax = 200;

export function sayPreview({ say }: { say(line: string): void }, preview: RestorePreview): void {
  const { backup, target, span, point, namespaces, warnings, digest } = preview;
  say(`  backup ${backup.id}, verification: ${backup.verified}; ${backup.bytes} bytes`);
  say(`  into ${target.hosts}, secret ${target.secret} (${target.kind})`);
  say(
    `  restorable from ${words(span.from)} through ${words(span.through)}${span.why ? `: ${span.why}` : ""}`,
  );
  if (point) say(`  then the oplog (${logOf(point)}) to ${point.words}`);
  for (const one of namespaces.slice(0, namespacesMax))
    say(`    ${one.becomes.padEnd(8)} ${one.namespace}${numbers(one)}`);
  if (namespaces.length > namespacesMax) say(`    … and ${namespaces.length - namespacesMax} more`);
  for (const warning of warnings) say(`  ! ${warning}`);
  say(`  digest ${digest}`);
}

/** For the summary: a row a namespace, those that lose something first. */
export function previewChecks({ span, namespaces, warnings }: RestorePreview): Check[] {
  const order = ["dropped", "replaced", "kept", "created"];
  const sorted = [...namespaces].sort(
    (one, other) => order.indexOf(one.becomes) - order.indexOf(other.becomes),
  );
  return [
    {
      name: "restorable",
      ok: true,
      expected: "the time asked for",
      got: `${words(span.from)} through ${words(span.through)}${span.why ? `: ${span.why}` : ""}`,
    },
    ...warnings.map((warning) => ({ name: "note", ok: true, expected: "to be known", got: warning })),
    ...sorted.slice(0, namespacesMax).map((one) => ({
      name: `${one.becomes} ${one.namespace}`,
      ok: true,
      expected: "preview",
      got: numbers(one).trim() || "a view",
    })),
  ];
}

/** What is read of the archive: the last segment may hold entries behind the point, which are not applied. */
export function logOf({ segments, entries, bytes }: NonNullable<RestorePreview["point"]>): string {
  return `${counted(entries, "entry", "entries")} in ${counted(segments, "segment")}, ${counted(bytes, "byte")}`;
}

function numbers({ documents, bytes, restores }: RestoredNamespace): string {
  const now = documents === undefined ? [] : [`now ${counted(documents, "document")}, ${bytes ?? 0} bytes`];
  const then = restores === undefined ? [] : [`backup ${counted(restores, "document")}`];
  const parts = [...now, ...then];
  return parts.length > 0 ? `  (${parts.join("; ")})` : "";
}
