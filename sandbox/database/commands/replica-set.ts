/** replSet commands: status, configuration, step-down. */
import { onCluster } from "../auth/privilege.ts";
import { ServerError } from "../engine/errors.ts";
import { Timestamp } from "../engine/value.ts";
import type { Member } from "../members/member.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import { tsIncrement, tsSeconds } from "../storage/timestamp.ts";
import type { ReplyObject } from "../wire/writer.ts";
import { firstNumber } from "./administration.ts";

const STATE_NUMBERS = { PRIMARY: 1, SECONDARY: 2, DOWN: 8 } as const;
const STATE_NAMES = { PRIMARY: "PRIMARY", SECONDARY: "SECONDARY", DOWN: "(not reachable/healthy)" } as const;

function optime(context: CommandContext): ReplyObject {
  const { last } = context.storage.clock;
  return {
    ts: new Timestamp({ t: tsSeconds(last), i: tsIncrement(last) }),
    t: BigInt(context.server.replicaSet.term),
  };
}

function describeMember(context: CommandContext, member: Member): ReplyObject {
  const { replicaSet, storage } = context.server;
  const self = member === context.connection.member;
  const date = new Date(tsSeconds(storage.clock.last) * 1000);
  const primary = replicaSet.primary;
  return {
    _id: member.id,
    name: member.host,
    health: member.up ? 1 : 0,
    state: STATE_NUMBERS[member.state],
    stateStr: STATE_NAMES[member.state],
    uptime: member.up ? Math.floor((Date.now() - member.startedAt) / 1000) : 0,
    optime: member.up ? optime(context) : { ts: new Timestamp({ t: 0, i: 0 }), t: -1n },
    optimeDate: member.up ? date : new Date(0),
    lastAppliedWallTime: date,
    lastDurableWallTime: date,
    lastHeartbeat: self ? undefined : new Date(),
    lastHeartbeatRecv: self ? undefined : new Date(),
    pingMs: self ? undefined : 0n,
    syncSourceHost: member.state === "SECONDARY" ? (primary?.host ?? "") : "",
    syncSourceId: member.state === "SECONDARY" ? (primary?.id ?? -1) : -1,
    infoMessage: "",
    electionTime:
      member.state === "PRIMARY"
        ? new Timestamp({ t: Math.floor(member.electedAt / 1000), i: 1 })
        : undefined,
    electionDate: member.state === "PRIMARY" ? new Date(member.electedAt) : undefined,
    configVersion: replicaSet.configVersion,
    configTerm: replicaSet.term,
    self: self ? true : undefined,
    lastHeartbeatMessage: self || member.up ? "" : "Error connecting",
  };
}

function status(context: CommandContext): Reply {
  const { replicaSet } = context.server;
  const now = optime(context);
  const wall = new Date(tsSeconds(context.storage.clock.last) * 1000);
  const majority = Math.floor(replicaSet.members.length / 2) + 1;
  return {
    set: replicaSet.name,
    date: new Date(),
    myState: STATE_NUMBERS[context.connection.member.state],
    term: BigInt(replicaSet.term),
    syncSourceHost: "",
    syncSourceId: -1,
    heartbeatIntervalMillis: 2000n,
    majorityVoteCount: majority,
    writeMajorityCount: majority,
    votingMembersCount: replicaSet.members.length,
    writableVotingMembersCount: replicaSet.members.length,
    optimes: {
      lastCommittedOpTime: now,
      lastCommittedWallTime: wall,
      readConcernMajorityOpTime: now,
      appliedOpTime: now,
      durableOpTime: now,
      lastAppliedWallTime: wall,
      lastDurableWallTime: wall,
    },
    lastStableRecoveryTimestamp: now.ts,
    members: replicaSet.members.map((member) => describeMember(context, member)),
  };
}

/** The configuration document, as replSetGetConfig gives it. */
function configuration(context: CommandContext): ReplyObject {
  const { replicaSet } = context.server;
  return {
    _id: replicaSet.name,
    version: replicaSet.configVersion,
    term: replicaSet.term,
    members: replicaSet.members.map((member) => ({
      _id: member.id,
      host: member.host,
      arbiterOnly: false,
      buildIndexes: true,
      hidden: false,
      priority: 1,
      tags: {},
      secondaryDelaySecs: 0n,
      votes: 1,
    })),
    protocolVersion: 1n,
    writeConcernMajorityJournalDefault: true,
    settings: {
      chainingAllowed: true,
      heartbeatIntervalMillis: 2000,
      heartbeatTimeoutSecs: 10,
      electionTimeoutMillis: 10_000,
      catchUpTimeoutMillis: -1,
      catchUpTakeoverDelayMillis: 30_000,
      getLastErrorModes: {},
      getLastErrorDefaults: { w: 1, wtimeout: 0 },
      replicaSetId: replicaSet.replicaSetId,
    },
  };
}

function stepDown(context: CommandContext): Reply {
  const { replicaSet } = context.server;
  if (context.connection.member.state !== "PRIMARY")
    throw new ServerError("NotWritablePrimary", "not primary so can't step down");
  const seconds = firstNumber(context) ?? 60;
  if (seconds < 0) throw new ServerError("BadValue", "stepdown period must be a positive integer");
  const others = replicaSet.members.filter((member) => member.up && member.state === "SECONDARY");
  if (others.length === 0 && context.boolean("force") !== true) {
    throw new ServerError(
      "ExceededTimeLimit",
      "No electable secondaries caught up as of now. Please use the replSetStepDown command with the argument {force: true} to force node to step down.",
    );
  }
  replicaSet.stepDown(seconds);
  return {};
}

function freeze(context: CommandContext): Reply {
  const { member } = context.connection;
  if (member.state === "PRIMARY")
    throw new ServerError(
      "NotSecondary",
      "cannot freeze node when primary or running for election. state: Primary",
    );
  context.server.replicaSet.freeze(member, firstNumber(context) ?? 0);
  return {};
}

export const replicaSetCommands: Command[] = [
  {
    name: "replSetGetStatus",
    fields: ["initialSync"],
    adminOnly: true,
    role: "any",
    needs: onCluster("replSetGetStatus"),
    run: status,
  },
  {
    name: "replSetGetConfig",
    fields: ["commitmentStatus"],
    adminOnly: true,
    role: "any",
    needs: onCluster("replSetGetConfig"),
    run: (context) => ({ config: configuration(context) }),
  },
  {
    name: "replSetStepDown",
    fields: ["secondaryCatchUpPeriodSecs", "force"],
    adminOnly: true,
    role: "any",
    needs: onCluster("replSetStateChange"),
    run: stepDown,
  },
  {
    name: "replSetFreeze",
    fields: [],
    adminOnly: true,
    role: "any",
    needs: onCluster("replSetStateChange"),
    run: freeze,
  },
  {
    name: "appendOplogNote",
    fields: ["data", "maxClusterTime"],
    adminOnly: true,
    role: "write",
    needs: onCluster("appendOplogNote"),
    run(context) {
      context.server.note(Object.fromEntries(context.document("data") ?? new Map()) as ReplyObject);
      return {};
    },
  },
];
