/** Taking write rights away, and the proof that they are gone (invariants.md 1, 2, 12). */
import type { RolesStore } from "../../adapters/state/roles-store.ts";
import type { AccessControl, OpenWriterConnections, WriterConnection } from "../../core/access/ports.ts";
import { readOnlyRoles, writingRoles } from "../../core/access/write-access.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Fence, NamedUser } from "../../core/failback/documents.ts";
import type { Clock, Logger } from "../../core/ports.ts";
import type { Survey } from "./survey.ts";

/** Several, because a server may check rights per connection or per session. */
const connectionsPerUser = 3;
const probeEveryMs = 50;
const refusalMsMax = 120_000;
/** Rounds in a row in which every connection was refused: one could be a passing answer. */
const refusedRounds = 2;

export type Refusal = Fence["refusals"][number];

export interface DemotionDependencies {
  readonly access: AccessControl;
  readonly openConnections: OpenWriterConnections;
  readonly roles: RolesStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Called while it waits: the watchdog's proof of life. */
  alive(): void;
}

/**
 * Makes users read-only on DocumentDB: connections are opened as each of them, their old roles are kept in S3,
 * roles are replaced, and the connections are probed until every one is refused. Gives when that was, per user.
 * Nothing is changed when a connection can't be opened (`denied` names the secret). Safe to run again at any point:
 * roles already recorded stay recorded. Fails `unavailable` when a user still writes after two minutes.
 */
export async function demoteUsers(
  deps: DemotionDependencies,
  survey: Survey,
  users: readonly NamedUser[],
  databases: readonly string[],
): Promise<Refusal[]> {
  const present = users.filter((user) => survey.principals.some(({ user: name }) => name === user.name));
  const connections = new Map<NamedUser, WriterConnection[]>();
  try {
    for (const user of present) connections.set(user, await deps.openConnections(user, connectionsPerUser));
    await recordRoles(deps, survey, present);
    const demotedAtMs = deps.clock.monotonicMs();
    for (const user of present) await takeRights(deps, survey, user, databases);
    const refusals: Refusal[] = [];
    for (const [user, opened] of connections) {
      refusals.push(await proveRefused(deps, user, opened, demotedAtMs));
    }
    return refusals;
  } finally {
    await Promise.all([...connections.values()].flat().map((connection) => connection.close()));
  }
}

async function recordRoles(
  deps: DemotionDependencies,
  survey: Survey,
  users: readonly NamedUser[],
): Promise<void> {
  const recordedAt = deps.clock.now().toISOString();
  const principals = survey.principals.filter(({ user }) => users.some(({ name }) => name === user));
  await deps.roles.add(
    principals.map(({ user, db, roles }) => ({ side: "documentdb", user, db, roles, recordedAt })),
  );
}

async function takeRights(
  { access, logger }: DemotionDependencies,
  { principals, customRoles }: Survey,
  { name }: NamedUser,
  databases: readonly string[],
): Promise<void> {
  const principal = principals.find(({ user }) => user === name);
  if (!principal || writingRoles(principal, customRoles, databases).length === 0) return;
  await access.setRoles(principal, readOnlyRoles(principal, customRoles, databases));
  logger.info({ user: name }, "user made read-only");
}

/**
 * Probes connections opened before the demotion until all of them are refused. A server that closed one has ended
 * its rights too: what answers then is a connection opened after.
 */
async function proveRefused(
  deps: DemotionDependencies,
  user: NamedUser,
  connections: readonly WriterConnection[],
  demotedAtMs: number,
): Promise<Refusal> {
  const { clock } = deps;
  let rounds = 0;
  while (clock.monotonicMs() - demotedAtMs < refusalMsMax) {
    const answers = await Promise.all(connections.map((connection) => connection.probe()));
    rounds = answers.every((answer) => answer === "refused") ? rounds + 1 : 0;
    if (rounds === refusedRounds) {
      const afterMs = Math.round(clock.monotonicMs() - demotedAtMs);
      deps.logger.info({ user: user.name, afterMs }, "refusal proved on connections opened before");
      return { user: user.name, provedAt: clock.now().toISOString(), afterMs };
    }
    deps.alive();
    await clock.sleep(probeEveryMs, deps.signal);
  }
  throw new RoundtripError({
    kind: "unavailable",
    what: `prove that user ${user.name} can no longer write on DocumentDB`,
    expected: `every connection opened before refused (code 13) within ${refusalMsMax / 1000} s`,
    got: "a write still allowed",
    wayOut: `stop what uses ${user.name}, or restart the instance to end its sessions, then run the step again`,
  });
}
