import { readOplog } from "../../adapters/mongo/oplog.ts";
import { oplogWindow } from "../../adapters/mongo/replica-set.ts";
import { timeInWords } from "../../core/failback/recorded-tasks.ts";
import type { OperationTime } from "../../core/ports.ts";
import type { Server } from "../access/databases.ts";
import { type Action, passed } from "./action.ts";

/** More changes than this are only said to be many: what counts is whether there are any. */
const countedMax = 10_000;

/**
 * What MongoDB's oplog holds, so that the runner can tell whether a DMS checkpoint is still in it, and how many changes
 * in the databases came behind a time, so that a task that stands still can be told from a source that does.
 */
export const run: Action = async ({ databases, parameter }) => {
  const server = await databases.open("mongodb");
  const names = parameter("databases").split(",");
  const since = timeOf(parameter("since"));
  try {
    const oplog = await oplogWindow(server.client);
    const waiting = since ? await countChanges(server, names, since) : undefined;
    return {
      checks: [
        passed("oplog of MongoDB", "shown", `${timeInWords(oplog.first)} to ${timeInWords(oplog.last)}`),
      ],
      data: { oplog, ...(waiting === undefined ? {} : { waiting, countedMax }) },
    };
  } catch (error) {
    throw server.failure(error, "read the oplog");
  }
};

async function countChanges(server: Server, names: readonly string[], after: OperationTime): Promise<number> {
  const namespaces: string[] = [];
  for (const name of names) {
    const collections = await server.client.db(name).listCollections({}, { nameOnly: true }).toArray();
    namespaces.push(...collections.map((collection) => `${name}.${collection.name}`));
  }
  let counted = 0;
  for await (const _ of readOplog(server.client, { after, namespaces })) if (++counted === countedMax) break;
  return counted;
}

function timeOf(text: string): OperationTime | undefined {
  const [t, i] = text.split(":").map(Number);
  return t === undefined || i === undefined || Number.isNaN(t) ? undefined : { t, i };
}
