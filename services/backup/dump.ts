import { writeJson } from "../../adapters/state/json.ts";
import type { DumpManifest } from "../../core/failback/documents.ts";
import { dumpTags } from "../../core/failback/layout.ts";
import { dumpToBucket } from "../dump/dump-to-bucket.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { type DumpSide, dumpKeys } from "./dump-store.ts";

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
 * Dumps one side: mongodump's archive first, the manifest last. An upload that breaks leaves no object; a dump without
 * manifest does not exist.
 */
export async function dumpSide(service: ServiceContext, request: DumpRequest): Promise<DumpManifest> {
  const { side, failbackId, fence } = request;
  const keys = dumpKeys(failbackId, side, service.run);
  const startedAt = service.clock.now().toISOString();
  const namespaces: { namespace: string; documents: number }[] = [];
  const { bytes, sha256 } = await dumpToBucket(service, {
    ...request,
    name: side,
    key: keys.archive,
    compression: "gzip",
    put: { tags: dumpTags },
    detail: { side },
    onNamespace: (namespace, documents) => namespaces.push({ namespace, documents }),
  });
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
    ...(fence === undefined ? {} : { fence }),
  };
  await writeJson(service.store, keys.manifest, manifest, { ifNoneMatch: true });
  service.logger.info({ side, bytes, sha256, namespaces: namespaces.length }, "dump complete");
  return manifest;
}
