import { deserialize, EJSON } from "bson";
import { readOplog } from "../../adapters/mongo/oplog.ts";
import { oplogWindow } from "../../adapters/mongo/replica-set.ts";
import type { RestoreOrigins } from "../../adapters/state/restore-state.ts";
import { compareTimes, timeInWords } from "../../core/failback/recorded-tasks.ts";
import type { OplogOperation } from "../../core/oplog/entry.ts";
import { isForeign } from "../../core/oplog/foreign.ts";
import type { OperationTime } from "../../core/ports.ts";
import type { Quiet } from "../../core/verdict/decide.ts";
import type { Restore } from "./restore.ts";

const namedMax = 100;
/** Entries this old are read again: a write may become visible behind one that was seen already. */
const overlapSeconds = 10;

/** What others wrote on MongoDB since the block. Reads the oplog a piece at a time, and goes on there after a restart. */
export class ForeignWrites {
  private blind: readonly string[] = [];

  constructor(
    private readonly restore: Restore,
    private readonly origins: RestoreOrigins,
    private readonly blockTime: OperationTime,
  ) {}

  /** Looks at everything the oplog holds by now. Fails with what the driver throws. */
  async look(): Promise<Pick<Quiet, "foreignWrites" | "blind">> {
    const { mongodb, namespaces } = this.restore;
    const { own, readThrough = this.blockTime } = this.origins;
    const { first, last } = await oplogWindow(mongodb.client);
    if (compareTimes(first, readThrough) > 0) {
      const missing = `${timeInWords(readThrough)} to ${timeInWords(first)}`;
      this.blind = [`MongoDB's oplog no longer holds ${missing}: who wrote then is not known`];
    }
    const found = new Set(this.origins.foreign);
    const range = { after: readThrough, namespaces, exceptSessions: [...own.sessions] };
    for await (const operation of readOplog(mongodb.client, range)) {
      if (isForeign(operation, own) && found.size < namedMax) found.add(named(operation));
    }
    const position = { t: last.t - overlapSeconds, i: 0 };
    const through = compareTimes(position, readThrough) > 0 ? position : readThrough;
    await this.origins.recordLook(through, [...found]);
    return { foreignWrites: [...found], blind: this.blind };
  }
}

const kinds = { i: "insert", u: "update", d: "delete" } as const;

function named({ kind, namespace, command, id, at }: OplogOperation): string {
  const what = kind === "c" ? (command ?? "command") : kinds[kind];
  const document = id
    ? ` ${EJSON.stringify(deserialize(id, { promoteValues: false })._id, { relaxed: false })}`
    : "";
  return `${what} ${namespace}${document} at ${timeInWords(at)}`;
}
