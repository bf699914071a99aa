import type { Database } from "bun:sqlite";
import type { Signed } from "./signature.ts";

/** What every stand-in service is given. State lives in `db` (or files below `dir`), so it survives a restart. */
export interface ServiceContext {
  readonly db: Database;
  readonly dir: string;
  readonly region: string;
  readonly account: string;
  readonly now: () => Date;
  /** Base URL of this stand-in, for values that point back at it. */
  readonly url: () => string;
}

/** One request as a service's operation sees it. */
export interface RequestContext extends ServiceContext {
  /** `app/<name>` of the SDK's user agent (AWS_SDK_UA_APP_ID): which process is asking. */
  readonly caller: string;
  readonly accessKeyId: string;
  /** What a chunk-signed body goes on from. */
  readonly signed?: Signed;
}

/** A service's own routes below `/_sandbox/<area>`, for what no AWS call can say; the answer is sent as JSON. */
export type ControlRoutes = Readonly<
  Record<string, (request: Request, rest: string, context: ServiceContext) => Promise<unknown> | unknown>
>;

type Operation<Input, Output> = (input: Input, context: RequestContext) => Promise<Output> | Output;

/** AWS JSON 1.1 service: the operation is the part of X-Amz-Target after the dot. */
export interface JsonService {
  readonly kind: "json";
  readonly name: string;
  /** The part of X-Amz-Target before the dot, for instance `AmazonSSM`. */
  readonly targetPrefix: string;
  readonly operations: Readonly<Record<string, Operation<Record<string, unknown>, object>>>;
  readonly control?: ControlRoutes;
  start?(context: ServiceContext): Promise<void> | void;
  stop?(): Promise<void> | void;
}

/** AWS Query or EC2 service: `Action` and its dotted parameters, answered as XML built from a plain object. */
export interface QueryService {
  readonly kind: "query";
  readonly name: string;
  readonly namespace: string;
  /** EC2 answers `<ActionResponse>` with the fields in it; the others wrap them in `<ActionResult>`. */
  readonly style: "ec2" | "query";
  readonly operations: Readonly<Record<string, Operation<Readonly<Record<string, string>>, object>>>;
  readonly control?: ControlRoutes;
  start?(context: ServiceContext): Promise<void> | void;
  stop?(): Promise<void> | void;
}

/** REST services (S3, Lambda) take the HTTP request as it is. `operation` names it for faults and the journal. */
export interface RestService {
  readonly kind: "rest";
  readonly name: string;
  /** How errors are written: S3's XML document, or JSON with `x-amzn-errortype`. */
  readonly errors: "xml" | "json";
  operation(request: Request): { name: string; key: string };
  /** The answer for an armed `okWithError`: status 200 and an error in the body, as this operation words it. */
  failedWithOk?(request: Request, code: string): Promise<Response> | Response;
  handle(request: Request, context: RequestContext): Promise<Response> | Response;
  readonly control?: ControlRoutes;
  start?(context: ServiceContext): Promise<void> | void;
  stop?(): Promise<void> | void;
}

export type Service = JsonService | QueryService | RestService;

/** The error an AWS service answers with; `code` is what SDKs show as the error's name. */
export class AwsError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status = 400,
    readonly fields: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}
