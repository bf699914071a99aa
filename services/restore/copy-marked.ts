import { EJSON, serialize } from "bson";
import { readImages } from "../../adapters/mongo/images.ts";
import type { ConflictLedger } from "../../adapters/state/conflict-ledger.ts";
import type { TailRule } from "../../core/apply/step.ts";
import { stoppedByPolicy } from "../../core/apply/stopped.ts";
import type { Collision, Target, Write } from "../../core/apply/target.ts";
import { documentKey } from "../../core/bson/equality-key.ts";
import type { Manifest } from "../../core/changes/manifest.ts";
import type { Restore } from "./restore.ts";

/** A document of which the log has an event that could not be read with its image: too large, or torn on the server. */
export interface MarkedDocument {
  readonly namespace: string;
  /** `_id` as canonical extended JSON. */
  readonly id: string;
}

const reasons: ReadonlySet<string> = new Set(["oversize", "unreadable"]);

/** The documents a manifest marks for copying behind the fence (invariants.md 9). */
export function markedIn({ flags }: Manifest, namespaces: ReadonlySet<string>): MarkedDocument[] {
  return flags.flatMap(({ reason, namespace, id }) =>
    id !== undefined && reasons.has(reason) && namespaces.has(namespace) ? [{ namespace, id }] : [],
  );
}

export interface CopyParts {
  readonly target: Target;
  readonly tail: TailRule;
  readonly conflicts: ConflictLedger;
  /** Last sequence of the log: what is copied is as new as all of it. */
  readonly sequence: number;
}

/**
 * Copies marked documents from DocumentDB, one by one because they are large. Nobody writes there any more, so each
 * copy is the document's last state. Gives those back that a unique index refused: they are tried again when the
 * pending writes of the log are in.
 */
export async function copyMarked(
  { service, documentdb }: Restore,
  marked: readonly MarkedDocument[],
  { target, tail, conflicts, sequence }: CopyParts,
): Promise<Collision[]> {
  const collisions: Collision[] = [];
  for (const { namespace, id: text } of marked) {
    service.signal.throwIfAborted();
    service.alive();
    const id = serialize({ _id: EJSON.parse(text, { relaxed: false }) });
    const key = documentKey(id)!;
    const place = tail.of(namespace, key);
    if (place) {
      const margin = place === "margin";
      await conflicts.add([{ kind: "tail", policy: tail.policy, namespace, key, id, sequence, margin }]);
      if (!margin && tail.policy === "stop") throw stoppedByPolicy(namespace, sequence);
      if (!margin && tail.policy === "mongodb") continue;
    }
    const images = await readImages(documentdb.client, namespace, [id]).catch((error) => {
      throw documentdb.failure(error, `copy a document of ${namespace}`);
    });
    const write: Write = { namespace, key, id, sequence, post: images.get(key) ?? null, recreate: true };
    collisions.push(...(await target.write([write])));
  }
  return collisions;
}

/** Tries refused copies again; what still collides is an open conflict, with both images. */
export async function retryCopies(
  collisions: readonly Collision[],
  { target, tail, conflicts }: CopyParts,
): Promise<void> {
  for (const { write } of collisions) {
    const [collision] = await target.write([write]);
    if (!collision) continue;
    const blockers = await target.blockers(collision);
    const { message } = collision;
    await conflicts.add([{ kind: "unique", policy: tail.policy, settled: false, write, blockers, message }]);
  }
}
