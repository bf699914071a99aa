/** Level 3: the backup restored into the scratch server, and everything there compared with what was dumped. */
import type { BackupManifest } from "../../core/backup/documents.ts";
import { bounded, type LevelResult } from "../../core/backup/verification.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { type Compared, compare, guarded, type RestoreTools } from "./restore-parts.ts";
import { isRestored } from "./restored.ts";
import { assertNotSource, claim, clean, openScratch, type Scratch } from "./scratch.ts";
import { sourceCounts } from "./source-counts.ts";

/**
 * Restores the backup and compares. Whatever keeps it from being compared makes it UNKNOWN, with the way out; only the
 * signal is thrown. The scratch server is emptied again; where that fails it is said, and the next verification does it.
 */
export async function verifyRestored(tools: RestoreTools, manifest: BackupManifest): Promise<LevelResult> {
  const { clock, signal } = tools.service;
  const startedMs = clock.monotonicMs();
  let found: Pick<LevelResult, "verdict" | "findings">;
  try {
    await using scratch = await openScratch(tools.service);
    await guarded(scratch, "see which server the scratch server is", () =>
      assertNotSource(tools.service, scratch, manifest),
    );
    found = await restoreAndCompare(tools, scratch, manifest);
  } catch (error) {
    signal.throwIfAborted();
    found = { verdict: "UNKNOWN", findings: [wordsOf(error)] };
  }
  return { level: 3, ...found, seconds: Math.round((clock.monotonicMs() - startedMs) / 100) / 10 };
}

async function restoreAndCompare(
  tools: RestoreTools,
  scratch: Scratch,
  manifest: BackupManifest,
): Promise<Pick<LevelResult, "verdict" | "findings">> {
  const { service, databases } = tools;
  const { collections, id } = manifest;
  await guarded(scratch, "make the scratch server ready", () => claim(service, scratch, id));
  let cleaning: string[] = [];
  let compared: Compared;
  try {
    compared = await compare(tools, scratch, manifest);
  } finally {
    cleaning = await cleanAgain(service, scratch);
  }
  const { differences, notCompared, seconds } = compared;
  const restored = collections.filter(isRestored);
  const documents = restored.reduce((sum, one) => sum + one.documents, 0);
  const left = collections.length - restored.length;
  const equal = `${restored.length} collections with ${documents} documents and ${manifest.oplog.entries} entries of the oplog restored in ${seconds} s: counts, options, indexes and content are those of the backup`;
  return {
    verdict: differences.length > 0 ? "DIFFERS" : "PROVEN",
    findings: [
      ...(differences.length > 0 ? bounded(differences) : [equal]),
      ...bounded(notCompared),
      ...(left > 0 ? [`${left} collections of users, roles and the server's own are not restored here`] : []),
      ...(await sourceCounts(databases, collections)),
      ...cleaning,
    ],
  };
}

/** Also after a signal: what stays is known by its mark, but nobody wants it to stay. */
async function cleanAgain({ logger }: ServiceContext, { client }: Scratch): Promise<string[]> {
  try {
    await clean(client);
    return [];
  } catch (error) {
    logger.warn({ error: String(error) }, "the scratch server was not emptied");
    return [
      `the scratch server was not emptied (${(error as Error).message}): the next verification does it`,
    ];
  }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof RoundtripError)) return `not compared: ${String(error)}`;
  const { what, expected, got, wayOut } = error;
  return `${what}: expected ${expected}, got ${got}. Way out: ${wayOut}`;
}
