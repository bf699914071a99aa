/** What is being done at this moment, and ending it: currentOp, killOp. */
import { onCluster } from "../auth/privilege.ts";
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import type { Session } from "../server/sessions.ts";
import type { Transaction } from "../transactions/transaction.ts";
import type { ReplyObject } from "../wire/writer.ts";

function currentOperations(context: CommandContext): Reply {
  const all = context.body.get("$all") === true ? idleConnections(context) : [];
  return { inprog: [...operations(context), ...all] };
}

/** With `$all`, connections that do nothing now are listed too, with the users logged in on them. */
function idleConnections(context: CommandContext): ReplyObject[] {
  const busy = new Set([...context.server.running.values()].map(({ connection }) => connection));
  return context.server.replicaSet.members.flatMap((member) =>
    [...member.connections]
      .filter((connection) => !busy.has(connection))
      .map((connection) => ({
        type: "op",
        host: member.host,
        desc: `conn${connection.id}`,
        connectionId: connection.id,
        client: connection.remote,
        appName: connection.appName,
        active: false,
        effectiveUsers: [...connection.principals.values()].map(({ user, db }) => ({ user, db })),
      })),
  );
}

/** Running commands and transactions between two commands, as currentOp and $currentOp show them. */
export function operations(context: CommandContext): ReplyObject[] {
  const running = [...context.server.running.values()];
  const busy = new Set(running.map(({ session }) => session));
  const idle = [...context.server.sessions.all()].filter((session) => !busy.has(session));
  return [...running.map(runningOperation), ...idle.flatMap((session) => idleTransaction(context, session))];
}

function runningOperation(running: CommandContext): ReplyObject {
  const { session, connection } = running;
  const target = running.body.get(running.name);
  return {
    type: "op",
    host: connection.member.host,
    desc: `conn${connection.id}`,
    connectionId: connection.id,
    client: connection.remote,
    appName: connection.appName,
    active: true,
    opid: running.operationId,
    secs_running: BigInt(Math.floor((Date.now() - running.startedAt) / 1000)),
    microsecs_running: BigInt((Date.now() - running.startedAt) * 1000),
    op: "command",
    ns: `${running.database}.${typeof target === "string" ? target : "$cmd"}`,
    effectiveUsers: [...connection.principals.values()].map(({ user, db }) => ({ user, db })),
    command: running.body,
    ...(session ? { lsid: decode(session.lsid) } : {}),
    ...(running.transaction ? { transaction: transactionFields(running.transaction) } : {}),
  };
}

/** It holds what its commit will write, has no opid, and names its user in no other way than by the session's hash. */
function idleTransaction(context: CommandContext, session: Session): ReplyObject[] {
  const { transaction } = session;
  if (transaction?.state !== "inProgress") return [];
  return [
    {
      type: "idleSession",
      host: context.connection.member.host,
      desc: "inactive transaction",
      active: false,
      lsid: decode(session.lsid),
      transaction: transactionFields(transaction),
    },
  ];
}

function transactionFields({ number, startedAt }: Transaction): ReplyObject {
  return {
    parameters: { txnNumber: number, autocommit: false },
    startWallClockTime: new Date(startedAt).toISOString(),
    timeOpenMicros: BigInt((Date.now() - startedAt) * 1000),
  };
}

function killOperation(context: CommandContext): Reply {
  const id = context.number("op");
  if (id === undefined) throw new ServerError("NoSuchKey", 'Did not provide "op" field');
  const running = context.server.running.get(id);
  if (running) running.killed = new ServerError("Interrupted", "operation was interrupted");
  return { info: "attempting to kill op" };
}

export const operationCommands: Command[] = [
  {
    name: "currentOp",
    fields: [],
    lenient: true,
    adminOnly: true,
    role: "any",
    needs: onCluster("inprog"),
    run: currentOperations,
  },
  {
    name: "killOp",
    fields: ["op"],
    adminOnly: true,
    role: "any",
    needs: onCluster("killop"),
    run: killOperation,
  },
];
