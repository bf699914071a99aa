/**
 * `_sandbox`, for root on `admin` only: faults, knobs, members and the journal of commands. Not a command of the real
 * server; product code never sends it.
 *
 *   {_sandbox: "arm", command: "insert"|"*", ns: "<regular expression>", nth: 1, times: 1, when: "before"|"after",
 *    action: {error: <code>, message} | {delayMs: n} | {closeConnection: true} | {exit: true}}
 *   {_sandbox: "disarm"} · {_sandbox: "faults"}
 *   {_sandbox: "set", staleAuthorizationMs: n, multiWriteCommitDelayMs: n, electionMs: n, journal: true|false}
 *   {_sandbox: "member", index: 0 | host: "127.0.0.1:port", action: "kill"|"restart"|"stepDown"}
 *   {_sandbox: "journal", after: <sequence>, limit: n}
 *   {_sandbox: "truncateOplog", through: Timestamp}
 */

import { CLUSTER, need } from "../auth/privilege.ts";
import { ServerError } from "../engine/errors.ts";
import { type Document, isNumber, Timestamp } from "../engine/value.ts";
import type { FaultAction } from "../faults/faults.ts";
import type { Member } from "../members/member.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import { packTs } from "../storage/timestamp.ts";

function bad(message: string): ServerError {
  return new ServerError("BadValue", `_sandbox: ${message}`);
}

function readAction(action: Document | undefined): FaultAction {
  const code = action?.get("error");
  if (isNumber(code)) {
    const message = action!.get("message");
    return {
      kind: "error",
      code: exactNumberOf(code),
      message: typeof message === "string" ? message : "fault of the sandbox",
    };
  }
  const delay = action?.get("delayMs");
  if (isNumber(delay)) return { kind: "delay", ms: exactNumberOf(delay) };
  if (action?.get("closeConnection") === true) return { kind: "closeConnection" };
  if (action?.get("exit") === true) return { kind: "exit" };
  throw bad("action: expected {error: code}, {delayMs: n}, {closeConnection: true} or {exit: true}");
}

function arm(context: CommandContext): Reply {
  const pattern = context.string("ns");
  const when = context.string("when") ?? "before";
  if (when !== "before" && when !== "after") throw bad(`when: expected 'before' or 'after', got '${when}'`);
  const id = context.server.faults.arm({
    command: context.string("command") ?? "*",
    ns: pattern === undefined ? undefined : new RegExp(pattern),
    nth: context.number("nth") ?? 1,
    times: context.number("times") ?? 1,
    when,
    action: readAction(context.document("action")),
  });
  return { id };
}

function faults(context: CommandContext): Reply {
  return {
    faults: context.server.faults.list().map((fault) => ({
      id: fault.id,
      command: fault.command,
      ns: fault.ns?.source,
      nth: fault.nth,
      times: fault.times,
      when: fault.when,
      action: fault.action.kind,
      matched: fault.matched,
      fired: fault.fired,
    })),
  };
}

function set(context: CommandContext): Reply {
  const { server } = context;
  const stale = context.number("staleAuthorizationMs");
  if (stale !== undefined) server.authorization.staleMs = stale;
  const delay = context.number("multiWriteCommitDelayMs");
  if (delay !== undefined) server.knobs.multiWriteCommitDelayMs = delay;
  const election = context.number("electionMs");
  if (election !== undefined) server.replicaSet.electionMs = election;
  const journal = context.boolean("journal");
  if (journal !== undefined) server.journal.enabled = journal;
  return {
    staleAuthorizationMs: server.authorization.staleMs,
    multiWriteCommitDelayMs: server.knobs.multiWriteCommitDelayMs,
    electionMs: server.replicaSet.electionMs,
    journal: server.journal.enabled,
  };
}

function chosenMember(context: CommandContext): Member {
  const { members } = context.server.replicaSet;
  const host = context.string("host");
  const member =
    host === undefined ? members[context.number("index") ?? -1] : members.find((one) => one.host === host);
  if (!member) throw bad(`member: give index 0…${members.length - 1} or one of the hosts`);
  return member;
}

function member(context: CommandContext): Reply {
  const { replicaSet } = context.server;
  const action = context.string("action");
  if (action === "stepDown") {
    replicaSet.stepDown(context.number("seconds") ?? 60);
    return {};
  }
  const chosen = chosenMember(context);
  // The reply goes out first: the member may be the one this connection is on.
  if (action === "kill") setTimeout(() => replicaSet.kill(chosen), 10);
  else if (action === "restart") setTimeout(() => replicaSet.restart(chosen), 10);
  else throw bad(`action: expected 'kill', 'restart' or 'stepDown', got '${action}'`);
  return { host: chosen.host };
}

function journal(context: CommandContext): Reply {
  const entries = context.server.journal.read(
    context.number("after") ?? 0,
    context.number("limit") ?? 10_000,
  );
  return { entries: entries.map((entry) => ({ ...entry, at: new Date(entry.at) })) };
}

function truncateOplog(context: CommandContext): Reply {
  const through = context.body.get("through");
  const ts =
    through instanceof Timestamp ? packTs(through.high >>> 0, through.low >>> 0) : context.storage.clock.last;
  context.storage.write((unit) => {
    unit.storage.oplog.dropThrough(ts);
  });
  return {};
}

const ACTIONS: Record<string, (context: CommandContext) => Reply> = {
  arm,
  faults,
  set,
  member,
  journal,
  truncateOplog,
  disarm(context) {
    context.server.faults.clear();
    return {};
  },
};

export const sandboxCommand: Command = {
  name: "_sandbox",
  fields: [],
  lenient: true,
  adminOnly: true,
  role: "any",
  needs: () => [need(CLUSTER, "_sandbox")],
  run(context) {
    const action = context.string("_sandbox") ?? "";
    const act = ACTIONS[action];
    if (!act) throw bad(`unknown action '${action}': expected one of ${Object.keys(ACTIONS).join(", ")}`);
    return act(context);
  },
};
