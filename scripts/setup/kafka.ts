import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { needed } from "./needed.ts";
import { say } from "./run.ts";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "tools/kafka");
/** Put in place as a whole, so that what is there is complete. */
const libraries = join(root, ".tools/kafka");

/** The folder with Kafka's and ZooKeeper's libraries; undefined until they were got. */
export function kafkaLibraries(): string | undefined {
  return existsSync(libraries) ? libraries : undefined;
}

/** Kafka 3.9 and ZooKeeper 3.8 by Maven, checked by their sums; got once. Needs `mvn`. Says where they are. */
export async function ensureKafka(): Promise<string> {
  if (existsSync(libraries)) return libraries;
  say("  fetching Kafka 3.9.2 and ZooKeeper 3.8.4 by Maven (once)");
  const partial = `${libraries}.${process.pid}`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(dirname(libraries), { recursive: true });
  const copy = ["-B", "-q", "dependency:copy-dependencies", `-DoutputDirectory=${partial}`];
  await needed("mvn", copy, { cwd: folder });
  await needed("sha256sum", ["--check", "--quiet", "--strict", join(folder, "SHA256SUMS")], { cwd: partial });
  await rename(partial, libraries);
  return libraries;
}
