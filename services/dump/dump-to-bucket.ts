/** mongodump's archive on its way to the bucket: compressed, hashed and uploaded as it comes, never on the disk. */
import { join } from "node:path";
import { Duplex, pipeline, Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { configurationText, connectionString } from "../../adapters/dump/configuration.ts";
import { dumpArchive } from "../../adapters/dump/mongodump.ts";
import type { Compression } from "../../core/backup/layout.ts";
import type { ServiceStatus } from "../../core/failback/documents.ts";
import type { PutOptions } from "../../core/ports.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { withPrivateFile } from "./private-file.ts";

/** Fast rather than small: somebody waits for the dump, or the server is read for as long as it takes. */
const gzipLevel = 3;
const reportEveryMs = 1000;

export interface DumpToBucket {
  /** For messages and for the name of the configuration file: mongodb, documentdb. */
  readonly name: string;
  readonly secretName: string;
  /** Path of mongodump, or its name on PATH. */
  readonly executable: string;
  /** Where the configuration file lies while mongodump runs. */
  readonly directory: string;
  readonly oplog?: boolean;
  /** Only this database. */
  readonly database?: string;
  readonly key: string;
  readonly compression: Compression;
  readonly put: Pick<PutOptions, "tags" | "ifNoneMatch">;
  /** Bytes the server says it holds, for the estimate. */
  readonly bytesExpected: number;
  /** Stands in the status beside the progress. */
  readonly detail: ServiceStatus["detail"];
  /** A collection is done. */
  onNamespace?(namespace: string, documents: number): void;
  /** Sees the archive before it is compressed; what it throws ends the dump, and leaves no object. */
  onArchive?(chunk: Uint8Array): void;
  /** mongodump has ended well, the object isn't there yet; what it throws leaves none. */
  onEnd?(): void;
}

/**
 * Dumps one server into one object. Fails as mongodump, the store or the request's own functions do, and then leaves no
 * object: an upload that breaks is given up, and one that fails ends mongodump.
 */
export async function dumpToBucket(
  service: ServiceContext,
  request: DumpToBucket,
): Promise<{ bytes: number; sha256: string }> {
  const { name, secretName, compression } = request;
  const uri = connectionString(await service.secrets.get(secretName), secretName);
  const configurationPath = join(request.directory, `mongodump-${name}.yaml`);
  return withPrivateFile(configurationPath, configurationText(uri), async () => {
    const archive = dumpArchive({
      executable: request.executable,
      configurationPath,
      oplog: request.oplog ?? false,
      ...(request.database === undefined ? {} : { database: request.database }),
      what: `dump ${name} with secret ${secretName}`,
      signal: service.signal,
      onNamespace: (namespace, documents) => request.onNamespace?.(namespace, documents),
    });
    const body = compress(watched(service, request, archive), compression);
    try {
      const options = { contentType: `application/${compression}`, ...request.put };
      const { bytes, sha256 } = await service.store.upload(request.key, body, options);
      return { bytes, sha256 };
    } finally {
      // Nobody reads what mongodump would go on writing.
      body.destroy();
    }
  });
}

function compress(archive: AsyncIterable<Uint8Array>, compression: Compression): Readable {
  // zstd's own default is level 3, too.
  const compressor =
    compression === "gzip" ? createGzip({ level: gzipLevel }) : Duplex.fromWeb(new CompressionStream("zstd"));
  // The error of either end reaches whoever reads the compressor.
  pipeline(Readable.from(archive, { objectMode: false }), compressor, () => {});
  return compressor;
}

async function* watched(
  { clock, status }: ServiceContext,
  { bytesExpected, detail, onArchive, onEnd }: DumpToBucket,
  archive: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const startedMs = clock.monotonicMs();
  let done = 0;
  let reportedMs = Number.NEGATIVE_INFINITY;
  const report = (nowMs: number, total: number) => {
    reportedMs = nowMs;
    const perSecond = (done * 1000) / Math.max(1, nowMs - startedMs);
    const etaSeconds = perSecond > 0 ? (total - done) / perSecond : undefined;
    const progress = {
      done,
      total,
      unit: "bytes",
      perSecond,
      ...(etaSeconds === undefined ? {} : { etaSeconds }),
    };
    status.update({ state: "running", progress, ...(detail ? { detail } : {}) });
  };
  for await (const chunk of archive) {
    done += chunk.length;
    onArchive?.(chunk);
    const nowMs = clock.monotonicMs();
    if (nowMs - reportedMs >= reportEveryMs) report(nowMs, Math.max(done, bytesExpected));
    yield chunk;
  }
  onEnd?.();
  report(clock.monotonicMs(), done);
}
