import { createHash, randomUUID } from "node:crypto";
import { asAwsError, errorResponse } from "./errors.ts";
import type { Fault, Faults, Subject } from "./faults.ts";
import type { Identities } from "./identity.ts";
import type { Journal } from "./journal.ts";
import type { Processes } from "./processes.ts";
import { type Routed, Router } from "./route.ts";
import { AwsError, type RequestContext, type Service, type ServiceContext } from "./service.ts";
import { type Signed, verifySignature } from "./signature.ts";

/** Is told of a request when it comes in and when it is answered, its effect done; nothing else happens meanwhile. */
export type Observer = (when: Fault["when"], subject: Subject) => void;

interface DispatchOptions {
  readonly services: readonly Service[];
  readonly context: ServiceContext;
  readonly identities: Identities;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly processes: Processes;
  readonly observe?: Observer | undefined;
}

const unsignedOperations = new Set(["AssumeRoleWithWebIdentity"]);

/** An answer that makes Bun drop the TCP connection (RST) without sending a byte. */
function resetResponse(): Response {
  return new Response(
    new ReadableStream({
      start(controller) {
        // Without a reason: Bun would print one to stderr for each reset.
        controller.error();
      },
    }),
  );
}

function callerOf(request: Request): string {
  return /(?:^|\s)app\/(\S+)/.exec(request.headers.get("user-agent") ?? "")?.[1] ?? "";
}

/** Takes every AWS request: routes it, checks its signature, lets armed faults act, runs it, and writes the journal. */
export class Dispatcher {
  private readonly router: Router;
  private closed = false;

  constructor(private readonly options: DispatchOptions) {
    this.router = new Router(options.services);
  }

  /** From here on no request has an effect any more. */
  close(): void {
    this.closed = true;
  }

  async handle(request: Request): Promise<Response> {
    const requestId = randomUUID();
    const started = performance.now();
    const time = this.options.context.now().toISOString();
    let routed: Routed;
    try {
      routed = await this.router.route(request);
    } catch (error) {
      return errorResponse(asAwsError(error), "s3", requestId, request.method);
    }
    const caller = callerOf(request);
    const { service, operation, key } = routed;
    const subject = { service, operation, key, caller };
    const firing = this.options.faults.match(subject);
    this.options.observe?.("before", subject);
    const response = await this.answer(request, routed, caller, firing, requestId);
    if (this.closed) return resetResponse();
    this.options.observe?.("after", subject);
    const length = Number(
      request.headers.get("x-amz-decoded-content-length") ?? request.headers.get("content-length") ?? 0,
    );
    this.options.journal.add({
      time,
      caller,
      service,
      operation,
      key,
      status: response?.status ?? 0,
      bytes: length || Number(response?.headers.get("content-length") ?? 0),
      ms: Math.round((performance.now() - started) * 100) / 100,
      fault: firing.map((fault) => fault.id).join(" "),
    });
    return response ?? resetResponse();
  }

  private authenticate(request: Request, routed: Routed): Signed | undefined {
    if (unsignedOperations.has(routed.operation) && routed.rest === undefined) return undefined;
    const claimed = request.headers.get("x-amz-content-sha256");
    const { body } = routed;
    const actual = body === undefined ? undefined : createHash("sha256").update(body).digest("hex");
    return verifySignature(
      request,
      actual ?? claimed ?? "UNSIGNED-PAYLOAD",
      this.options.identities,
      this.options.context.now().getTime(),
    );
  }

  /** Runs the request between its faults. Gives undefined where the connection is to be reset. */
  private async answer(
    request: Request,
    routed: Routed,
    caller: string,
    firing: readonly Fault[],
    requestId: string,
  ): Promise<Response | undefined> {
    try {
      // The effect consumes the body; an answer made up afterwards may need it again.
      const again = firing.some(({ when, action }) => when === "after" && "okWithError" in action)
        ? (request.clone() as Request)
        : request;
      const early = await this.act(request, routed, firing, "before", requestId);
      if (early !== "go on") return early;
      // A request that a fault held back may outlive the server: then it has had no effect.
      if (this.closed) return undefined;
      const response = await this.effect(request, routed, caller, requestId);
      const late = await this.act(again, routed, firing, "after", requestId);
      return late === "go on" ? response : late;
    } catch (error) {
      return errorResponse(asAwsError(error), routed.format, requestId, request.method);
    }
  }

  private async effect(
    request: Request,
    routed: Routed,
    caller: string,
    requestId: string,
  ): Promise<Response> {
    try {
      const signed = this.authenticate(request, routed);
      const context: RequestContext = {
        ...this.options.context,
        caller,
        accessKeyId: signed?.accessKeyId ?? "",
        signed,
      };
      const response = await routed.run(context, requestId);
      if (routed.format === "s3") response.headers.set("x-amz-request-id", requestId);
      return response;
    } catch (error) {
      return errorResponse(asAwsError(error), routed.format, requestId, request.method);
    }
  }

  private async act(
    request: Request,
    routed: Routed,
    firing: readonly Fault[],
    when: Fault["when"],
    requestId: string,
  ): Promise<Response | undefined | "go on"> {
    for (const fault of firing) {
      if (fault.when !== when) continue;
      const { action } = fault;
      if ("delayMs" in action) await Bun.sleep(action.delayMs);
      else if ("reset" in action) return undefined;
      else if ("kill" in action) {
        await this.options.processes.kill(action.kill);
        if (!action.answer) return undefined;
      } else if ("okWithError" in action)
        return this.failedWithOk(request, routed, action.okWithError, requestId);
      else {
        const error = new AwsError(action.code, `armed fault ${fault.id}`, action.status);
        return errorResponse(error, routed.format, requestId, request.method);
      }
    }
    return "go on";
  }

  private async failedWithOk(
    request: Request,
    routed: Routed,
    code: string,
    requestId: string,
  ): Promise<Response> {
    if (routed.rest?.failedWithOk !== undefined) return routed.rest.failedWithOk(request, code);
    return errorResponse(new AwsError(code, "armed fault", 200), routed.format, requestId, request.method);
  }
}
