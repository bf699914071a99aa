import { randomUUID } from "node:crypto";
import type { Identities } from "../identity.ts";
import { type Input, optionalNumber, optionalText, requiredText } from "../input.ts";
import {
  AwsError,
  type RequestContext,
  type RestService,
  type Service,
  type ServiceContext,
} from "../service.ts";
import { takeCode } from "./code.ts";
import { invoke } from "./run.ts";
import { FunctionStore, type LambdaFunction } from "./store.ts";
import { targetOf } from "./target.ts";

/** How long a new or changed function stays Pending / InProgress; invoking and changing it is refused meanwhile. */
const pendingMs = 300;

const payloadBytesMax = 6 * 1024 * 1024;

const sessionMs = 3_600_000;

const settingNames = [
  "Runtime",
  "Role",
  "Handler",
  "Description",
  "Timeout",
  "MemorySize",
  "Environment",
  "VpcConfig",
  "Layers",
  "Architectures",
  "KMSKeyArn",
  "TracingConfig",
  "DeadLetterConfig",
  "EphemeralStorage",
  "LoggingConfig",
  "PackageType",
];

function settingsOf(input: Input): Record<string, unknown> {
  return Object.fromEntries(
    settingNames.filter((name) => input[name] !== undefined).map((name) => [name, input[name]]),
  );
}

async function json(request: Request): Promise<Input> {
  const text = await request.text();
  return text === "" ? {} : (JSON.parse(text) as Input);
}

class LambdaService implements RestService {
  readonly kind = "rest";
  readonly name = "lambda";
  readonly errors = "json";
  private store!: FunctionStore;

  constructor(private readonly identities: Identities) {}

  start({ db }: ServiceContext): void {
    this.store = new FunctionStore(db);
  }

  operation(request: Request): { name: string; key: string } {
    const { operation, name } = targetOf(request);
    return { name: operation, key: name };
  }

  async handle(request: Request, context: RequestContext): Promise<Response> {
    const { operation, name } = targetOf(request);
    switch (operation) {
      case "CreateFunction":
        return Response.json(await this.create(await json(request), context), { status: 201 });
      case "ListFunctions":
        return Response.json({
          Functions: this.store.all().map((each) => this.configuration(each, context)),
        });
      case "GetFunction": {
        const found = this.find(name, context);
        const Code = { RepositoryType: "S3", Location: `file://${found.root}` };
        return Response.json({ Configuration: this.configuration(found, context), Code, Tags: found.tags });
      }
      case "GetFunctionConfiguration":
        return Response.json(this.configuration(this.find(name, context), context));
      case "UpdateFunctionConfiguration": {
        const found = this.changeable(name, context);
        const settings = { ...found.settings, ...settingsOf(await json(request)) };
        return Response.json(this.save({ ...found, settings }, context));
      }
      case "UpdateFunctionCode": {
        const found = this.changeable(name, context);
        return Response.json(
          this.save({ ...found, ...(await takeCode(await json(request), context)) }, context),
        );
      }
      case "DeleteFunction":
        this.store.remove(this.find(name, context).name);
        return new Response(null, { status: 204 });
      case "Invoke":
        return this.invoke(request, name, context);
      default:
        throw new AwsError(
          "UnknownOperationException",
          `the stand-in has no Lambda operation ${operation}`,
          404,
        );
    }
  }

  private arn(name: string, { region, account }: RequestContext): string {
    return `arn:aws:lambda:${region}:${account}:function:${name}`;
  }

  private find(name: string, context: RequestContext): LambdaFunction {
    const found = this.store.find(name);
    if (found === undefined)
      throw new AwsError("ResourceNotFoundException", `Function not found: ${this.arn(name, context)}`, 404);
    return found;
  }

  /** Throws ResourceConflictException while an earlier change is still under way. */
  private changeable(name: string, context: RequestContext): LambdaFunction {
    const found = this.find(name, context);
    if (context.now().getTime() < found.updated + pendingMs) {
      const state = found.created === found.updated ? "Pending" : "InProgress";
      throw new AwsError(
        "ResourceConflictException",
        `The operation cannot be performed at this time. The function is currently in the following state: ${state}`,
        409,
      );
    }
    return found;
  }

  private async create(input: Input, context: RequestContext): Promise<object> {
    const name = requiredText(input, "FunctionName");
    if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name))
      throw new AwsError(
        "ValidationException",
        `expected a function name of 1-64 letters, digits, - and _, got ${name}`,
        400,
      );
    if (this.store.find(name) !== undefined)
      throw new AwsError("ResourceConflictException", `Function already exist: ${name}`, 409);
    const runtime = optionalText(input, "Runtime") ?? "";
    if (!/^nodejs\d+\.x$/.test(runtime))
      throw new AwsError(
        "InvalidParameterValueException",
        `the stand-in runs nodejs… only, got runtime "${runtime}"`,
        400,
      );
    requiredText(input, "Role");
    if (!/^[^.]+.*\.[^.]+$/.test(requiredText(input, "Handler")))
      throw new AwsError("InvalidParameterValueException", "expected Handler as <file>.<export>", 400);
    if (input.Publish === true)
      throw new AwsError("InvalidParameterValueException", "the stand-in has no published versions", 400);
    const code = await takeCode((input.Code ?? {}) as Input, context);
    const created = context.now().getTime();
    const tags = (input.Tags ?? {}) as Record<string, string>;
    return this.save(
      { name, ...code, settings: settingsOf(input), tags, created, updated: created, revision: "" },
      context,
      created,
    );
  }

  private save(next: LambdaFunction, context: RequestContext, updated = context.now().getTime()): object {
    const saved = { ...next, updated, revision: randomUUID() };
    this.store.save(saved);
    return this.configuration(saved, context);
  }

  private configuration(found: LambdaFunction, context: RequestContext): object {
    const busy = context.now().getTime() < found.updated + pendingMs;
    const creating = busy && found.created === found.updated;
    return {
      Timeout: 3,
      MemorySize: 128,
      PackageType: "Zip",
      Architectures: ["x86_64"],
      EphemeralStorage: { Size: 512 },
      TracingConfig: { Mode: "PassThrough" },
      ...found.settings,
      FunctionName: found.name,
      FunctionArn: this.arn(found.name, context),
      CodeSha256: found.codeSha256,
      CodeSize: found.codeSize,
      Version: "$LATEST",
      LastModified: new Date(found.updated).toISOString().replace("Z", "+0000"),
      RevisionId: found.revision,
      State: creating ? "Pending" : "Active",
      ...(creating ? { StateReason: "The function is being created.", StateReasonCode: "Creating" } : {}),
      LastUpdateStatus: busy ? "InProgress" : "Successful",
    };
  }

  private async invoke(request: Request, name: string, context: RequestContext): Promise<Response> {
    const found = this.find(name, context);
    if (found.created === found.updated) this.changeable(name, context);
    const type = request.headers.get("x-amz-invocation-type") ?? "RequestResponse";
    if (type === "DryRun") return new Response(null, { status: 204 });
    if (type !== "RequestResponse")
      throw new AwsError(
        "InvalidParameterValueException",
        `the stand-in has no invocation type ${type}`,
        400,
      );
    const event = (await request.text()) || "{}";
    if (event.length > payloadBytesMax) {
      throw new AwsError(
        "RequestEntityTooLargeException",
        `Request must be smaller than ${payloadBytesMax} bytes for the InvokeFunction operation`,
        413,
      );
    }
    try {
      JSON.parse(event);
    } catch {
      throw new AwsError("InvalidRequestContentException", "Could not parse request body into json", 400);
    }
    const { settings } = found;
    const outcome = await invoke({
      functionName: name,
      arn: this.arn(name, context),
      handler: requiredText(settings, "Handler"),
      root: found.root,
      timeoutSeconds: optionalNumber(settings, "Timeout") ?? 3,
      memoryMegabytes: optionalNumber(settings, "MemorySize") ?? 128,
      variables: this.variables(found, context),
      event,
      requestId: randomUUID(),
    });
    const headers: Record<string, string> = {
      "x-amz-executed-version": "$LATEST",
      "content-type": "application/json",
    };
    if (outcome.error !== undefined) headers["x-amz-function-error"] = outcome.error;
    if (request.headers.get("x-amz-log-type") === "Tail") {
      headers["x-amz-log-result"] = Buffer.from(outcome.log.slice(-4096)).toString("base64");
    }
    return new Response(outcome.payload, { headers });
  }

  /** The environment of a handler: its own variables, its role's keys, and the way back to this stand-in. */
  private variables(found: LambdaFunction, context: RequestContext): Record<string, string> {
    const own =
      (found.settings.Environment as { Variables?: Record<string, string> } | undefined)?.Variables ?? {};
    const session = this.identities.createSession(
      requiredText(found.settings, "Role"),
      found.name,
      context.now().getTime() + sessionMs,
    );
    return {
      AWS_ENDPOINT_URL: context.url(),
      ...own,
      AWS_REGION: context.region,
      AWS_DEFAULT_REGION: context.region,
      AWS_LAMBDA_FUNCTION_NAME: found.name,
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_ACCESS_KEY_ID: session.accessKeyId,
      AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
      AWS_SESSION_TOKEN: session.sessionToken ?? "",
      LAMBDA_TASK_ROOT: found.root,
    };
  }
}

/** Lambda: functions from a zip, from S3 or from a local directory, run as Node processes. */
export function create(identities: Identities): Service[] {
  return [new LambdaService(identities)];
}
