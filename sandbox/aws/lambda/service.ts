import { randomUUID } from "node:crypto";
import type { Events } from "../events.ts";
import type { Identities } from "../identity.ts";
import { type Input, optionalText, requiredText } from "../input.ts";
import {
  AwsError,
  type ControlRoutes,
  type RequestContext,
  type RestService,
  type Service,
  type ServiceContext,
} from "../service.ts";
import type { EventInvokeConfig } from "./asynchronous.ts";
import { FunctionCalls } from "./calls.ts";
import { takeCode } from "./code.ts";
import { configurationOf, functionArn, pendingMs } from "./configuration.ts";
import { invokeFunction } from "./invoke.ts";
import { FunctionPolicies } from "./policy.ts";
import { FunctionStore, type LambdaFunction } from "./store.ts";
import { targetOf } from "./target.ts";

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
  private policies!: FunctionPolicies;
  private calls!: FunctionCalls;

  constructor(
    private readonly identities: Identities,
    private readonly events: Events,
  ) {}

  readonly control: ControlRoutes = {
    invocations: () => this.calls.called,
    lambda: async (request) => {
      const { retryDelaysMs } = (await request.json()) as { retryDelaysMs?: number[] };
      if (!retryDelaysMs?.every((ms) => ms >= 0))
        throw new AwsError("ValidationException", "expected retryDelaysMs");
      this.calls.asynchronous.retryDelaysMs = retryDelaysMs;
      return {};
    },
  };

  start(context: ServiceContext): void {
    this.store = new FunctionStore(context.db);
    this.policies = new FunctionPolicies(context.db);
    this.calls = new FunctionCalls(this.store, this.policies, this.identities, context, this.events);
  }

  stop(): void {
    this.calls.stop();
  }

  operation(request: Request): { name: string; key: string } {
    const { operation, name } = targetOf(request);
    return { name: operation, key: name };
  }

  async handle(request: Request, context: RequestContext): Promise<Response> {
    const { operation, name, statement = "" } = targetOf(request);
    switch (operation) {
      case "CreateFunction":
        return Response.json(await this.create(await json(request), context), { status: 201 });
      case "ListFunctions":
        return Response.json({
          Functions: this.store.all().map((each) => configurationOf(each, context)),
        });
      case "GetFunction": {
        const found = this.find(name, context);
        const Code = { RepositoryType: "S3", Location: `file://${found.root}` };
        return Response.json({ Configuration: configurationOf(found, context), Code, Tags: found.tags });
      }
      case "GetFunctionConfiguration":
        return Response.json(configurationOf(this.find(name, context), context));
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
        this.policies.removeAll(name);
        return new Response(null, { status: 204 });
      case "AddPermission": {
        const added = this.policies.add(
          this.find(name, context).name,
          functionArn(name, context),
          await json(request),
        );
        return Response.json({ Statement: added }, { status: 201 });
      }
      case "GetPolicy":
        return Response.json(this.policyOf(this.find(name, context)));
      case "RemovePermission":
        this.policies.remove(this.find(name, context).name, statement);
        return new Response(null, { status: 204 });
      case "PutFunctionEventInvokeConfig":
        this.store.saveEventConfig(this.find(name, context).name, (await json(request)) as EventInvokeConfig);
        return Response.json(this.eventConfigOf(name, context));
      case "GetFunctionEventInvokeConfig":
        return Response.json(this.eventConfigOf(name, context));
      case "DeleteFunctionEventInvokeConfig":
        this.eventConfigOf(name, context);
        this.store.removeEventConfig(name);
        return new Response(null, { status: 204 });
      case "Invoke": {
        const found = this.find(name, context);
        if (found.created === found.updated) this.changeable(name, context);
        return invokeFunction(request, this.calls.of(found));
      }
      default:
        throw new AwsError(
          "UnknownOperationException",
          `the stand-in has no Lambda operation ${operation}`,
          404,
        );
    }
  }

  private policyOf({ name, revision }: LambdaFunction): object {
    const Statement = this.policies.of(name);
    if (Statement.length === 0)
      throw new AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404);
    return {
      Policy: JSON.stringify({ Version: "2012-10-17", Id: "default", Statement }),
      RevisionId: revision,
    };
  }

  private eventConfigOf(name: string, context: RequestContext): object {
    const config = this.store.eventConfig(this.find(name, context).name);
    const FunctionArn = `${functionArn(name, context)}:$LATEST`;
    if (config === undefined)
      throw new AwsError(
        "ResourceNotFoundException",
        `The function ${FunctionArn} doesn't have an EventInvokeConfig`,
        404,
      );
    const { DestinationConfig: destinations, ...rest } = config;
    return {
      FunctionArn,
      LastModified: context.now().getTime() / 1000,
      ...rest,
      DestinationConfig: { OnFailure: {}, OnSuccess: {}, ...destinations },
    };
  }

  private find(name: string, context: RequestContext): LambdaFunction {
    const found = this.store.find(name);
    if (found === undefined)
      throw new AwsError(
        "ResourceNotFoundException",
        `Function not found: ${functionArn(name, context)}`,
        404,
      );
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
    return configurationOf(saved, context);
  }
}

/** Lambda: functions from a zip, from S3 or from a local directory, run as Node processes. */
export function create(identities: Identities, events: Events): Service[] {
  return [new LambdaService(identities, events)];
}
