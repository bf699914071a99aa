import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import type { Variables } from "./context.ts";

/** GitHub drops a summary above 1 MiB whole, without failing the job. */
const summaryBytesMax = 1024 * 1024 - 1024;

/** A value for later jobs and steps (`GITHUB_OUTPUT`, `GITHUB_ENV`); delimited, so that no value can add a second one. */
export async function setValue(file: string | undefined, name: string, value: string): Promise<void> {
  if (!file) return;
  const delimiter = `end-${randomBytes(16).toString("hex")}`;
  await appendFile(file, `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
}

/** Adds to the job's summary, cut so that GitHub shows it, and what stands there already. */
export async function addToSummary({ GITHUB_STEP_SUMMARY: file }: Variables, text: string): Promise<void> {
  if (!file) return;
  const room = Math.max(0, summaryBytesMax - (statSync(file, { throwIfNoEntry: false })?.size ?? 0));
  const bytes = Buffer.from(`${text}\n`);
  const isLong = bytes.length > room;
  if (isLong && room === 0) return;
  await appendFile(
    file,
    // Bytes of a character that was cut in the middle would grow when read as text: they are left out.
    isLong ? `${bytes.toString("utf8", 0, room).replace(/\uFFFD+$/, "")}\n\n*Cut off at 1 MiB.*\n` : bytes,
  );
}
