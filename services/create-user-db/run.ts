import Ajv2020 from "ajv/dist/2020.js";
import { RoundtripError } from "../../core/errors.ts";
import type { CurrentFailback } from "../../core/failback/documents.ts";
import { legalNext } from "../../core/failback/phase.ts";
import type { Clock, Logger, Secrets } from "../../core/ports.ts";
import { difference } from "../../core/provision/difference.ts";
import type {
  Declared,
  ProvisionDifference,
  Provisioned,
  ProvisionRequest,
  ProvisionResponse,
} from "../../core/provision/model.ts";
import type { ProvisionCluster } from "../../core/provision/ports.ts";
import { declaredBy } from "../../core/provision/request.ts";
import { responseOf, stepInWords } from "../../core/provision/response.ts";
import schema from "../../schemas/provision-request.schema.json" with { type: "json" };
import type { FunctionSettings } from "./settings.ts";

export interface ProvisionDependencies {
  readonly settings: FunctionSettings;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The environment's failback, as the bucket says. */
  phase(): Promise<CurrentFailback>;
  openCluster(master: Readonly<Record<string, string>>): Promise<ProvisionCluster>;
  /** Milliseconds until the function is ended. */
  remainingMs(): number;
}

/** Kept for the answer, and for closing connections. */
const reserveMs = 10_000;
const loginTriesMax = 10;
const loginEveryMs = 500;
/** The cluster's own users, besides the master. */
const ownUsers = ["serviceadmin"];

interface ReplicationUser {
  readonly name: string;
  readonly password: string;
}

/**
 * Brings users, databases and collections of DocumentDB to what the request declares, and proves it by reading them
 * again. Safe to run again at any point. Fails `refused` while a failback is open (its roles are not to be touched)
 * and for a request that contradicts itself; `unavailable` when the time runs out: what was done stays done.
 */
export async function provision(event: unknown, deps: ProvisionDependencies): Promise<ProvisionResponse> {
  const request = readRequest(event);
  const dryRun = request.dryRun ?? false;
  if (!dryRun) assertNormal(await deps.phase());
  const user = await replicationUser(deps);
  await using cluster = await deps.openCluster(await deps.secrets.get(deps.settings.masterSecret));
  const declared = await readDeclared(request, cluster, user, deps);
  const found = difference(declared, await look(cluster, declared, user));
  const { environment } = declared;
  deps.logger.info(
    { environment, dryRun, steps: found.steps.length, kept: found.kept.length },
    dryRun ? "what would be done" : "what is to be done",
  );
  if (!dryRun && found.steps.length > 0) {
    await applyAll(cluster, found, user, deps);
    await assertDone(cluster, declared, user, deps.clock);
  }
  return responseOf(found, { environment, dryRun });
}

const validate = new Ajv2020({ allErrors: true }).compile<ProvisionRequest>(schema);
const schemaErrorsMax = 10;

function readRequest(event: unknown): ProvisionRequest {
  if (validate(event)) return event;
  const errors = (validate.errors ?? []).slice(0, schemaErrorsMax);
  throw new RoundtripError({
    kind: "usage",
    what: "read the request to create-user-db",
    expected: "a document by schemas/provision-request.schema.json",
    got: errors.map(({ instancePath, message }) => `${instancePath || "/"} ${message}`).join("; "),
    wayOut: "see docs/create-user-db.md for both forms of the request",
  });
}

/** While a failback is open the DMS user has lost its rights on purpose: giving them back would let writes past capture. */
function assertNormal({ phase, failbackId }: CurrentFailback): void {
  if (phase === "normal") return;
  throw new RoundtripError({
    kind: "refused",
    what: "change users and collections of DocumentDB",
    expected: "phase normal",
    got: `failback ${failbackId} in phase ${phase}`,
    wayOut: `finish the failback first: ${legalNext(phase)}; a dry run is possible at any time`,
  });
}

async function replicationUser({ secrets, settings }: ProvisionDependencies): Promise<ReplicationUser> {
  const { replicationSecret: secretName } = settings;
  const { username, password } = await secrets.get(secretName);
  if (username && password) return { name: username, password };
  throw new RoundtripError({
    kind: "configuration",
    what: `read the DMS user from secret ${secretName}`,
    expected: "username and password",
    got: username ? "no password" : "no username",
    wayOut: `store it as {"username": …, "password": …} in Secrets Manager`,
  });
}

async function readDeclared(
  request: ProvisionRequest,
  cluster: ProvisionCluster,
  user: ReplicationUser,
  { settings }: ProvisionDependencies,
): Promise<Declared> {
  const master = await cluster.masterUser();
  if (user.name === master || ownUsers.includes(user.name)) {
    throw new RoundtripError({
      kind: "refused",
      what: `take the user of secret ${settings.replicationSecret} for DMS`,
      expected: "a user of its own",
      got: `${user.name}, the cluster's own administrator`,
      wayOut:
        "name another user in the secret: DMS gets a user with rights on the replicated databases alone",
    });
  }
  const protectedUsers = [master, ...ownUsers];
  return declaredBy(request, { environment: settings.environment, user: user.name, protectedUsers });
}

async function look(
  cluster: ProvisionCluster,
  declared: Declared,
  user: ReplicationUser,
): Promise<Provisioned> {
  const databases = [...declared.databases, ...(declared.previous ?? [])].map(({ name }) => name);
  const live = await cluster.read(databases, [user.name, ...declared.retiredUsers]);
  const passwordAccepted = live.users.has(user.name) && (await cluster.accepts(user.name, user.password));
  return { ...live, passwordAccepted };
}

async function applyAll(
  cluster: ProvisionCluster,
  { steps }: ProvisionDifference,
  user: ReplicationUser,
  { logger, remainingMs }: ProvisionDependencies,
): Promise<void> {
  for (const [done, step] of steps.entries()) {
    if (remainingMs() < reserveMs) {
      throw new RoundtripError({
        kind: "unavailable",
        what: `do ${steps.length} steps on DocumentDB`,
        expected: "all within the function's time limit",
        got: `${done} done`,
        wayOut: "call it again: it goes on where it stopped",
      });
    }
    await cluster.apply(step, user.password);
    logger.info({ step: done + 1, of: steps.length }, stepInWords(step));
  }
}

/** Reads everything again: an answer is given for what stands, not for what was asked. */
async function assertDone(
  cluster: ProvisionCluster,
  declared: Declared,
  user: ReplicationUser,
  clock: Clock,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { steps } = difference(declared, await look(cluster, declared, user));
    if (steps.length === 0) return;
    // A new password may take a moment until every login meets it.
    const onlyLogin = steps.every((step) => step.do === "update-user" && !step.roles);
    if (!onlyLogin || attempt === loginTriesMax) {
      throw new RoundtripError({
        kind: "unavailable",
        what: "read again what was done on DocumentDB",
        expected: "all that was declared",
        got: `still to do: ${steps.slice(0, 5).map(stepInWords).join(", ")}`,
        wayOut: "see who else changes users or collections, then call it again",
      });
    }
    await clock.sleep(loginEveryMs);
  }
}
