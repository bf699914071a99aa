import type { ErrorFormat } from "./errors.ts";
import { type Call, jsonCall, queryCall } from "./protocols.ts";
import { requestTarget } from "./request-target.ts";
import { AwsError, type JsonService, type QueryService, type RestService, type Service } from "./service.ts";
import { signingService } from "./signature-parts.ts";

/** A request that was routed: what it asks for, and how its errors are worded. */
export interface Routed extends Call {
  readonly body: Uint8Array | undefined;
  readonly rest: RestService | undefined;
}

/** Finds the service and operation of a request: X-Amz-Target, then a form's Action, then the REST services by signature. */
export class Router {
  private readonly json: JsonService[] = [];
  private readonly query: QueryService[] = [];
  private readonly rest: RestService[] = [];

  constructor(services: readonly Service[]) {
    const taken = new Set<string>();
    for (const service of services) {
      if (service.kind === "rest") this.rest.push(service);
      else if (service.kind === "query") this.query.push(service);
      else {
        this.json.push(service);
        for (const operation of Object.keys(service.operations)) {
          const target = `${service.targetPrefix}.${operation}`;
          if (taken.has(target)) throw new Error(`two services offer ${target}; expected one`);
          taken.add(target);
        }
      }
    }
  }

  /** Reads the body of JSON and Query requests; a REST service reads its own. */
  async route(request: Request): Promise<Routed> {
    const target = request.headers.get("x-amz-target");
    const contentType = request.headers.get("content-type") ?? "";
    if (target !== null) {
      const body = new Uint8Array(await request.arrayBuffer());
      return { ...jsonCall(this.json, target, contentType, body), body, rest: undefined };
    }
    const signedFor = signingService(request);
    if (contentType.startsWith("application/x-www-form-urlencoded") && signedFor !== "s3") {
      const body = new Uint8Array(await request.arrayBuffer());
      return { ...queryCall(this.query, signedFor, body), body, rest: undefined };
    }
    const routed = this.routeRest(request, signedFor);
    // S3 checks its body against the signed hash while it streams; others may not even say the hash in a header.
    if (routed.service === "s3") return routed;
    return { ...routed, body: new Uint8Array(await (request.clone() as Request).arrayBuffer()) };
  }

  private routeRest(request: Request, signedFor: string | undefined): Routed {
    const { path } = requestTarget(request.url);
    const name = signedFor ?? (/^\/20\d\d-\d\d-\d\d\//.test(path) ? "lambda" : "s3");
    const rest = this.rest.find((each) => each.name === name);
    if (rest === undefined)
      throw new AwsError("NotImplemented", `the stand-in has no REST service ${name}`, 501);
    const { name: operation, key } = rest.operation(request);
    const format: ErrorFormat = rest.errors === "xml" ? "s3" : "rest-json";
    return {
      service: rest.name,
      operation,
      key,
      format,
      body: undefined,
      rest,
      run: async (context) => rest.handle(request, context),
    };
  }
}
