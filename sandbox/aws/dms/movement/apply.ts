/** Writing to the target: single-threaded, in the source's order, one command for a run of like changes. */
import { Buffer } from "node:buffer";
import type { MongoClient } from "mongodb";
import type { Change } from "./changes.ts";
import { DocumentSequence } from "./connections.ts";

const RUN_STATEMENTS = 5_000;
const RUN_BYTES = 16_000_000;

interface Run {
  readonly command: "update" | "delete";
  readonly statements: Buffer[];
  bytes: number;
}

/** A change the target refused; DMS logs it and goes on. */
export interface Refused {
  readonly statement: Buffer;
  readonly code: number;
  readonly message: string;
}

interface WriteReply {
  readonly writeErrors?: readonly {
    readonly index: number;
    readonly code: number;
    readonly errmsg: string;
  }[];
  readonly writeConcernError?: { readonly errmsg: string };
}

async function send(
  client: MongoClient,
  schema: string,
  table: string,
  run: Run,
  onRefused: (refused: Refused) => void,
): Promise<void> {
  let remaining = run.statements;
  while (remaining.length > 0) {
    const field = run.command === "update" ? "updates" : "deletes";
    const sequence = new DocumentSequence(field);
    for (const statement of remaining) sequence.push({}, statement);
    const reply = (await client.db(schema).command({
      [run.command]: table,
      ordered: true,
      writeConcern: { w: "majority" },
      [field]: sequence,
    })) as WriteReply;
    if (reply.writeConcernError)
      throw new Error(`the target did not confirm: ${reply.writeConcernError.errmsg}`);
    const error = reply.writeErrors?.[0];
    if (!error) return;
    // Ordered: what came before it is written, what comes after it is not.
    onRefused({ statement: remaining[error.index]!, code: error.code, message: error.errmsg });
    remaining = remaining.slice(error.index + 1);
  }
}

function runsOf(changes: readonly Change[]): Run[] {
  const runs: Run[] = [];
  for (const change of changes) {
    const command = change.kind === "delete" ? "delete" : "update";
    for (const statement of change.statements) {
      let run = runs.at(-1);
      if (
        !run ||
        run.command !== command ||
        run.statements.length >= RUN_STATEMENTS ||
        run.bytes + statement.length > RUN_BYTES
      ) {
        run = { command, statements: [], bytes: 0 };
        runs.push(run);
      }
      run.statements.push(statement);
      run.bytes += statement.length;
    }
  }
  return runs;
}

/** Applies changes of one collection in their order; returns when the target has confirmed them. */
export async function applyChanges(
  client: MongoClient,
  schema: string,
  table: string,
  changes: readonly Change[],
  onRefused: (refused: Refused) => void,
): Promise<void> {
  let start = 0;
  for (let index = 0; index <= changes.length; index++) {
    const isDrop = changes[index]?.kind === "drop";
    if (index < changes.length && !isDrop) continue;
    for (const run of runsOf(changes.slice(start, index))) await send(client, schema, table, run, onRefused);
    if (isDrop) await client.db(schema).dropCollection(table).catch(ignoreMissing);
    start = index + 1;
  }
}

export function ignoreMissing(cause: unknown): void {
  if ((cause as { code?: unknown }).code !== 26) throw cause;
}

/** Inserts loaded documents. Those whose `_id` is there already stay as they are: the target was not emptied. */
export async function insertLoaded(
  client: MongoClient,
  schema: string,
  table: string,
  documents: readonly Buffer[],
  onRefused: (refused: Refused) => void,
): Promise<void> {
  const sequence = new DocumentSequence("documents");
  for (const document of documents) sequence.push({}, document);
  const reply = (await client.db(schema).command({
    insert: table,
    ordered: false,
    writeConcern: { w: "majority" },
    documents: sequence,
  })) as WriteReply;
  if (reply.writeConcernError)
    throw new Error(`the target did not confirm: ${reply.writeConcernError.errmsg}`);
  for (const { index, code, errmsg } of reply.writeErrors ?? []) {
    onRefused({ statement: Buffer.from(documents[index]!), code, message: errmsg });
  }
}
