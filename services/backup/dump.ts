import { mkdir, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline, Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { configurationText, connectionString } from "../../adapters/dump/configuration.ts";
import { dumpArchive } from "../../adapters/dump/mongodump.ts";
import { writeJson } from "../../adapters/state/json.ts";
import type { DumpManifest } from "../../core/failback/documents.ts";
import { dumpTags } from "../../core/failback/layout.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { type DumpSide, dumpKeys } from "./dump-store.ts";

/** Fast rather than small: the dump of MongoDB is what the users wait for. */
const gzipLevel = 3;
const reportEveryMs = 1000;

export interface DumpRequest {
  readonly side: DumpSide;
  readonly failbackId: string;
  readonly secretName: string;
  readonly executable: string;
  readonly toolVersion: string;
  /** Where the configuration file lies while mongodump runs. */
  readonly directory: string;
  /** Bytes the server says it holds, for the estimate. */
  readonly bytesExpected: number;
  readonly fence?: number;
}

/**
 * Dumps one side: mongodump's archive, compressed, hashed and uploaded as it comes, the manifest last. An upload
 * that breaks leaves no object; a dump without manifest does not exist.
 */
export async function dumpSide(service: ServiceContext, request: DumpRequest): Promise<DumpManifest> {
  const { side, failbackId, secretName } = request;
  const keys = dumpKeys(failbackId, side, service.run);
  const startedAt = service.clock.now().toISOString();
  const namespaces: { namespace: string; documents: number }[] = [];
  const uri = connectionString(await service.secrets.get(secretName), secretName);
  const configurationPath = join(request.directory, `mongodump-${side}.yaml`);
  await writePrivately(configurationPath, configurationText(uri));
  try {
    const archive = dumpArchive({
      executable: request.executable,
      configurationPath,
      what: `dump ${side} with secret ${secretName}`,
      signal: service.signal,
      onNamespace: (namespace, documents) => namespaces.push({ namespace, documents }),
    });
    const compressed = compress(withProgress(service, request, archive));
    const { bytes, sha256 } = await upload(service, keys.archive, compressed);
    const manifest: DumpManifest = {
      version: 1,
      failbackId,
      side,
      key: keys.archive,
      sha256,
      bytes,
      namespaces,
      tool: request.toolVersion,
      startedAt,
      finishedAt: service.clock.now().toISOString(),
      ...(request.fence === undefined ? {} : { fence: request.fence }),
    };
    await writeJson(service.store, keys.manifest, manifest, { ifNoneMatch: true });
    service.logger.info({ side, bytes, sha256, namespaces: namespaces.length }, "dump complete");
    return manifest;
  } finally {
    await rm(configurationPath, { force: true });
  }
}

/** Only this user reads it, from its first byte on; a file a killed run left is replaced, not written into. */
async function writePrivately(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await rm(path, { force: true });
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

/** An upload that fails ends mongodump, too: nobody reads what it would go on writing. */
async function upload(
  { store }: ServiceContext,
  key: string,
  body: Readable,
): ReturnType<ServiceContext["store"]["upload"]> {
  try {
    return await store.upload(key, body, { contentType: "application/gzip", tags: dumpTags });
  } finally {
    body.destroy();
  }
}

function compress(archive: AsyncIterable<Uint8Array>): Readable {
  const gzip = createGzip({ level: gzipLevel });
  // The error of either end reaches whoever reads `gzip`.
  pipeline(Readable.from(archive, { objectMode: false }), gzip, () => {});
  return gzip;
}

async function* withProgress(
  { clock, status }: ServiceContext,
  { side, bytesExpected }: DumpRequest,
  archive: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const startedMs = clock.monotonicMs();
  let done = 0;
  let reportedMs = Number.NEGATIVE_INFINITY;
  for await (const chunk of archive) {
    done += chunk.length;
    const nowMs = clock.monotonicMs();
    if (nowMs - reportedMs >= reportEveryMs) {
      reportedMs = nowMs;
      const perSecond = (done * 1000) / Math.max(1, nowMs - startedMs);
      const total = Math.max(done, bytesExpected);
      const etaSeconds = perSecond > 0 ? (total - done) / perSecond : undefined;
      const progress = {
        done,
        total,
        unit: "bytes",
        perSecond,
        ...(etaSeconds === undefined ? {} : { etaSeconds }),
      };
      status.update({ state: "running", progress, detail: { side } });
    }
    yield chunk;
  }
}
