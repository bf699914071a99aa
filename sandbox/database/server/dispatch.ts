/** One request through the house: parse, log in, allow, run, answer. */
import { commands, unknownCommand } from "../commands/index.ts";
import { codeNameOf, ServerError } from "../engine/errors.ts";
import { type Document, Double, isDocument, Timestamp, type Value } from "../engine/value.ts";
import type { Failure } from "../faults/fail-points.ts";
import { ConnectionReset } from "../faults/faults.ts";
import { labelsFor, saysNotPrimary } from "../faults/labels.ts";
import { HeldByTransaction } from "../storage/conflicts.ts";
import { packTs, tsIncrement, tsSeconds } from "../storage/timestamp.ts";
import { beginReply, finishReply, type Request } from "../wire/message.ts";
import type { ReplyMap, ReplyObject } from "../wire/writer.ts";
import { checkApiVersion } from "./api-version.ts";
import { authorize } from "./authorize.ts";
import { awaitWriteConcern, checkConcerns, writesOut } from "./concerns.ts";
import type { Connection } from "./connection.ts";
import { CommandContext, type Reply } from "./context.ts";
import { checkMemberRole } from "./member-role.ts";
import { commandName, parseCommand, refuseUnknownFields } from "./parse.ts";
import type { Server } from "./server.ts";
import { attachSession } from "./session-rules.ts";

interface Outcome {
  reply: Reply;
  error: ServerError | undefined;
}

const KEY_HASH = new Uint8Array(20);

export class Dispatcher {
  private readonly server: Server;
  private lastOperation = 0;

  constructor(server: Server) {
    this.server = server;
  }

  /** Answers one request on its connection; closes it where a fault says so. */
  async handle(connection: Connection, request: Request): Promise<void> {
    try {
      await this.answer(connection, request);
    } catch (error) {
      if (!(error instanceof ConnectionReset)) this.report(error);
      connection.close();
    }
  }

  private report(error: unknown): void {
    console.error(
      JSON.stringify({
        severity: "E",
        at: new Date(),
        message: String(error),
        stack: (error as Error).stack,
      }),
    );
  }

  private async answer(connection: Connection, request: Request): Promise<void> {
    const name = commandName(request.body);
    const started = Date.now();
    let context: CommandContext | undefined;
    let outcome: Outcome;
    let failure: Failure | undefined;
    try {
      context = this.contextOf(connection, request, name);
      failure = await this.injectFailure(context);
      await this.server.faults.meet("before", context.command.name, faultNamespace(context));
      outcome = { reply: await this.run(context), error: undefined };
      await this.server.faults.meet("after", context.command.name, faultNamespace(context));
    } catch (error) {
      if (error instanceof ConnectionReset) throw error;
      outcome = this.failed(error, context);
    } finally {
      if (context) this.server.running.delete(context.operationId);
    }
    this.keepJournal(connection, context, name, started, outcome);
    if (request.moreToCome) return;
    await this.send(connection, request, context, await this.finished(outcome, context, failure));
  }

  private contextOf(connection: Connection, request: Request, name: string): CommandContext {
    const command = commands.get(name);
    if (!command) throw unknownCommand(name);
    const { body, batches } = parseCommand(request, command.name, command.raw ?? []);
    const database = request.database ?? body.get("$db");
    if (typeof database !== "string") throw new ServerError(40571, "OP_MSG requests require a $db argument");
    const operationId = ++this.lastOperation;
    return new CommandContext({
      server: this.server,
      connection,
      request,
      command,
      name,
      database,
      body,
      batches,
      operationId,
    });
  }

  private async injectFailure(context: CommandContext): Promise<Failure | undefined> {
    const { name } = context;
    const value = context.body.get(name);
    const ns = typeof value === "string" ? `${context.database}.${value}` : context.database;
    const failure = this.server.failPoints.failCommand(name, appNameOf(context), ns);
    if (!failure) return undefined;
    if (failure.blockMs > 0) await Bun.sleep(failure.blockMs);
    if (failure.closeConnection) throw new ConnectionReset("fail point failCommand");
    if (failure.error) {
      const { code, labels } = failure.error;
      const error = new ServerError(code, "Failing command via 'failCommand' failpoint");
      if (labels) FIXED_LABELS.set(error, labels);
      throw error;
    }
    return failure;
  }

  private async run(context: CommandContext): Promise<Reply> {
    const { command, server } = context;
    server.running.set(context.operationId, context);
    server.counters.command++;
    this.advanceClusterTime(context.body);
    authorize(context);
    checkMemberRole(context);
    if (!command.lenient) refuseUnknownFields(command.name, command.fields, context.body, context.name);
    attachSession(context);
    checkApiVersion(context);
    this.setDeadline(context);
    await checkConcerns(context);
    context.begun = true;
    return this.runCommand(context);
  }

  /** A getMore's and a hello's maxTimeMS say how long they wait; of all others how long they may run. */
  private setDeadline(context: CommandContext): void {
    const limit = context.number("maxTimeMS") ?? 0;
    const { failPoints } = this.server;
    if (limit > 0 && failPoints.isOn("maxTimeAlwaysTimeOut")) throw timeLimit();
    const waits = context.name === "getMore" || context.command.name === "hello";
    if (limit > 0 && !waits && !failPoints.isOn("maxTimeNeverTimeOut"))
      context.deadline = context.startedAt + limit;
  }

  /** Runs it; a write that meets a document of an open transaction waits for that one's end and runs again. */
  private async runCommand(context: CommandContext): Promise<Reply> {
    for (;;) {
      try {
        const reply = await context.command.run(context);
        if (context.transaction && hasWriteErrors(reply)) context.transaction.abort();
        return reply;
      } catch (error) {
        if (error instanceof HeldByTransaction) {
          await Promise.race([error.holder.ended, Bun.sleep(1000)]);
          context.checkInterrupt();
          if (context.connection.closed) throw error;
          continue;
        }
        // Only a lost connection or a failed check before it leaves a transaction as it was.
        if (error instanceof ServerError && context.name !== "commitTransaction")
          context.transaction?.abort();
        throw error;
      }
    }
  }

  private advanceClusterTime(body: Document): void {
    const gossip = body.get("$clusterTime");
    const time = isDocument(gossip) ? gossip.get("clusterTime") : undefined;
    if (time instanceof Timestamp) this.server.storage.clock.advance(packTs(time.high >>> 0, time.low >>> 0));
  }

  private failed(thrown: unknown, context: CommandContext | undefined): Outcome {
    if (!(thrown instanceof ServerError)) this.report(thrown);
    const error =
      thrown instanceof ServerError
        ? thrown
        : new ServerError("InternalError", `internal error: ${String(thrown)}`, { cause: thrown });
    const reply: ReplyMap = new Map();
    reply.set("ok", 0);
    reply.set("errmsg", error.message);
    reply.set("code", error.code);
    reply.set("codeName", codeNameOf(error.code));
    for (const [field, value] of error.extra) reply.set(field, value as Value);
    const labels = FIXED_LABELS.get(error) ?? [...error.labels, ...this.labels(error.code, context)];
    if (labels.length > 0) reply.set("errorLabels", [...new Set(labels)]);
    if (context && saysNotPrimary(error.code))
      reply.set("topologyVersion", context.connection.member.topologyVersion);
    return { reply, error };
  }

  private labels(
    code: number | undefined,
    context: CommandContext | undefined,
    besideResult = false,
  ): string[] {
    if (!context) return [];
    const inTransaction = context.body.get("autocommit") === false;
    return labelsFor(code, {
      command: context.name,
      inTransaction,
      retryable: !inTransaction && context.body.has("txnNumber"),
      changeStream: opensChangeStream(context),
      besideResult,
    });
  }

  /** The reply with what every reply carries. */
  private async finished(
    outcome: Outcome,
    context: CommandContext | undefined,
    failure: Failure | undefined,
  ): Promise<ReplyMap> {
    const reply: ReplyMap =
      outcome.reply instanceof Map ? outcome.reply : new Map(Object.entries(outcome.reply));
    if (context?.begun) await this.addWriteConcernError(reply, context, failure);
    const ok = outcome.error ? 0 : 1;
    reply.delete("ok");
    return new Map([...reply, ["ok", ok === 1 ? OK : NOT_OK]]);
  }

  private async addWriteConcernError(
    reply: ReplyMap,
    context: CommandContext,
    failure: Failure | undefined,
  ): Promise<void> {
    const injected = failure?.writeConcernError;
    const error =
      injected ??
      (context.command.role === "write" || writesOut(context) ? await awaitWriteConcern(context) : undefined);
    if (!error) return;
    reply.set("writeConcernError", error as ReplyObject);
    const code = isDocument(error as Value) ? (error as Document).get("code") : (error as ReplyObject).code;
    const labels =
      failure?.labels ??
      this.labels(
        typeof code === "number" ? code : Number((code as { value?: number })?.value),
        context,
        true,
      );
    const known = (reply.get("errorLabels") ?? []) as string[];
    if (labels.length > 0) reply.set("errorLabels", [...new Set([...known, ...labels])]);
  }

  private async send(
    connection: Connection,
    request: Request,
    context: CommandContext | undefined,
    reply: ReplyMap,
  ): Promise<void> {
    let next: ReplyMap | undefined = reply;
    let current = request;
    while (next && !connection.closed) {
      const { writer, document } = beginReply(current);
      writer.fields(next);
      this.writeTimes(writer);
      const more: boolean = request.exhaustAllowed && context?.exhaust !== undefined && next.get("ok") === OK;
      const frame = finishReply(current, writer, document, more);
      await connection.send(frame);
      if (!more) return;
      // Each further reply of an exhaust stream answers the reply before it.
      current = { ...current, requestId: frame.readInt32LE(4) };
      next = await this.nextOfStream(context!);
    }
  }

  /** Each reply of an exhaust stream is a command of its own: fail points meet it too. */
  private async nextOfStream(context: CommandContext): Promise<ReplyMap> {
    try {
      await this.injectFailure(context);
      const reply = await context.exhaust!();
      return await this.finished({ reply, error: undefined }, context, undefined);
    } catch (error) {
      if (error instanceof ConnectionReset) throw error;
      return this.finished(this.failed(error, context), context, undefined);
    }
  }

  private writeTimes(writer: ReturnType<typeof beginReply>["writer"]): void {
    const time = this.server.storage.clock.last;
    const seconds = tsSeconds(time);
    const increment = tsIncrement(time);
    const at = writer.beginObject("$clusterTime");
    writer.timestamp("clusterTime", seconds, increment);
    const signature = writer.beginObject("signature");
    writer.binary("hash", KEY_HASH, 0);
    writer.long("keyId", 0n);
    writer.end(signature);
    writer.end(at);
    writer.timestamp("operationTime", seconds, increment);
  }

  private keepJournal(
    connection: Connection,
    context: CommandContext | undefined,
    name: string,
    started: number,
    outcome: Outcome,
  ): void {
    const principal = connection.principal;
    this.server.journal.add({
      at: started,
      command: context?.command.name ?? name,
      ns: context ? faultNamespace(context) : "",
      user: principal ? `${principal.db}.${principal.user}` : "",
      appName: connection.appName ?? "",
      ms: Date.now() - started,
      code: outcome.error?.code ?? 0,
    });
  }
}

// Doubles, as the server sends `ok`.
const OK = new Double(1);
const NOT_OK = new Double(0);
/** Labels a fail point prescribes replace the ones that follow from the code. */
const FIXED_LABELS = new WeakMap<ServerError, string[]>();

/** The first hello of a connection names its application itself. */
function appNameOf(context: CommandContext): string | undefined {
  const client = context.body.get("client");
  const application = isDocument(client) ? client.get("application") : undefined;
  const name = isDocument(application) ? application.get("name") : undefined;
  return typeof name === "string" ? name : context.connection.appName;
}

function timeLimit(): ServerError {
  return new ServerError("MaxTimeMSExpired", "operation exceeded time limit");
}

function hasWriteErrors(reply: Reply): boolean {
  return reply instanceof Map ? reply.has("writeErrors") : "writeErrors" in reply;
}

function faultNamespace(context: CommandContext): string {
  const value = context.body.get(context.name);
  const collection = context.body.get("collection");
  if (typeof value === "string" && context.name !== "ismaster") return `${context.database}.${value}`;
  if (context.name === "getMore" && typeof collection === "string")
    return `${context.database}.${collection}`;
  return context.database;
}

/** A getMore labels its errors itself, once it has its cursor: what fails before that isn't known as a stream's. */
function opensChangeStream(context: CommandContext): boolean {
  const pipeline = context.body.get("pipeline");
  return Array.isArray(pipeline) && isDocument(pipeline[0]) && pipeline[0].has("$changeStream");
}
