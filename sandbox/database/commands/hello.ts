/** hello and its old names: what drivers read first, and await. */
import { ServerError } from "../engine/errors.ts";
import {
  isDocument,
  isNumber,
  Long,
  longToBigInt,
  ObjectId,
  Timestamp,
  type Value,
} from "../engine/value.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import { numberField } from "../server/context.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import { tsIncrement, tsSeconds } from "../storage/timestamp.ts";
import type { ReplyObject } from "../wire/writer.ts";
import { saslStart } from "./sasl.ts";

const FIELDS = [
  "helloOk",
  "client",
  "compression",
  "saslSupportedMechs",
  "speculativeAuthenticate",
  "topologyVersion",
  "maxAwaitTimeMS",
  "loadBalanced",
  "forShell",
  "hangUpOnStepDown",
  "internalClient",
  "hostInfo",
  "$db",
];

function setFields(context: CommandContext): ReplyObject {
  const { replicaSet, storage } = context.server;
  const { member } = context.connection;
  const primary = replicaSet.primary;
  const now = storage.clock.last;
  const opTime = {
    ts: new Timestamp({ t: tsSeconds(now), i: tsIncrement(now) }),
    t: BigInt(replicaSet.term),
  };
  return {
    hosts: replicaSet.hosts,
    setName: replicaSet.name,
    setVersion: replicaSet.configVersion,
    [context.name === "hello" ? "isWritablePrimary" : "ismaster"]: member.state === "PRIMARY",
    secondary: member.state === "SECONDARY",
    primary: primary?.host,
    me: member.host,
    electionId: member.state === "PRIMARY" ? replicaSet.electionId : undefined,
    lastWrite: {
      opTime,
      lastWriteDate: new Date(tsSeconds(now) * 1000),
      majorityOpTime: opTime,
      majorityWriteDate: new Date(tsSeconds(now) * 1000),
    },
  };
}

/** Waits, as the client asked, for a change of the topology it knows. */
async function awaitChange(context: CommandContext, known: Value | undefined): Promise<void> {
  const limit = numberField(context.body, "maxAwaitTimeMS", context.name);
  if (!isDocument(known)) {
    if (limit !== undefined)
      throw new ServerError(51759, "A request with 'maxAwaitTimeMS' must include a 'topologyVersion'");
    return;
  }
  if (limit === undefined)
    throw new ServerError(51760, "A request with a 'topologyVersion' must include 'maxAwaitTimeMS'");
  const { member, onClose } = context.connection;
  const id = known.get("processId");
  const counter = known.get("counter");
  const same = id instanceof ObjectId && id.equals(member.processId);
  const number =
    counter instanceof Long
      ? longToBigInt(counter)
      : isNumber(counter)
        ? BigInt(exactNumberOf(counter))
        : -1n;
  if (same && number > member.topologyCounter) {
    throw new ServerError(
      31382,
      `Received a topology version with counter: ${number} which is greater than the server topology version counter: ${member.topologyCounter}`,
    );
  }
  if (!same || number < member.topologyCounter) return;
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      cancel();
      onClose.delete(finish);
      resolve();
    };
    const timer = setTimeout(finish, limit);
    const cancel = context.server.replicaSet.onChange(finish);
    onClose.add(finish);
  });
}

function rememberClient(context: CommandContext): void {
  const client = context.document("client");
  if (!client || context.connection.metadata) return;
  context.connection.metadata = client;
  const application = client.get("application");
  const name = isDocument(application) ? application.get("name") : undefined;
  if (typeof name === "string") context.connection.appName = name;
}

function supportedMechanisms(context: CommandContext): string[] | undefined {
  const wanted = context.body.get("saslSupportedMechs");
  if (typeof wanted !== "string") return undefined;
  const dot = wanted.indexOf(".");
  const user = context.server.authorization.findUser(wanted.slice(0, dot), wanted.slice(dot + 1));
  const credentials = user?.get("credentials");
  return isDocument(credentials) ? [...credentials.keys()] : undefined;
}

/** Login in the first round trip; a failure shows only by the missing field, as on the real server. */
function speculativeLogin(context: CommandContext): ReplyObject | undefined {
  const request = context.document("speculativeAuthenticate");
  if (!request?.has("saslStart")) return undefined;
  const database = request.get("db");
  try {
    return saslStart(context, request, typeof database === "string" ? database : "admin");
  } catch (error) {
    if (error instanceof ServerError) return undefined;
    throw error;
  }
}

function describe(context: CommandContext): ReplyObject {
  const { options, parameters } = context.server;
  const legacy = context.name !== "hello";
  const compression = context.array("compression");
  const zlib = compression?.includes("zlib") ? ["zlib"] : undefined;
  return {
    helloOk: context.body.get("helloOk") === true && legacy ? true : undefined,
    topologyVersion: context.connection.member.topologyVersion,
    ...setFields(context),
    maxBsonObjectSize: 16_777_216,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: Number(parameters.get("localLogicalSessionTimeoutMinutes")),
    connectionId: context.connection.id,
    minWireVersion: 0,
    maxWireVersion: options.maxWireVersion,
    readOnly: false,
    compression: zlib,
    saslSupportedMechs: supportedMechanisms(context),
  };
}

async function run(context: CommandContext): Promise<Reply> {
  rememberClient(context);
  const known = context.body.get("topologyVersion");
  await awaitChange(context, known);
  const reply = describe(context);
  if (context.request.exhaustAllowed && isDocument(known)) stream(context);
  const login = speculativeLogin(context);
  if (login) reply.speculativeAuthenticate = login;
  return reply;
}

/** Answers again at each change of the topology after the one the last reply told. */
function stream(context: CommandContext): void {
  const { member } = context.connection;
  let told = new Map<string, Value>([
    ["processId", member.processId],
    ["counter", Long.fromBigInt(member.topologyCounter)],
  ]);
  context.exhaust = async () => {
    await awaitChange(context, told);
    told = new Map<string, Value>([
      ["processId", member.processId],
      ["counter", Long.fromBigInt(member.topologyCounter)],
    ]);
    return describe(context);
  };
}

/** The hello command in all spellings. */
export const helloCommand: Command = {
  name: "hello",
  aliases: ["isMaster", "ismaster"],
  fields: FIELDS,
  lenient: true,
  role: "any",
  open: true,
  run,
};
