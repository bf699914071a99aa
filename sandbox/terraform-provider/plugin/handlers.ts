/** The protocol's calls, for any provider: planning and validation by schema, the rest by the type's own code. */
import { fillUnknown, planObject } from "../planning/plan.ts";
import { validate } from "../planning/validate.ts";
import { pathOf } from "../planning/walk.ts";
import type { Provider, Setup } from "../provider.ts";
import { AttributeError, type Context, type Resource, type Rules } from "../resource.ts";
import { type Block, conform, isObject, type Schema, unknown, type Value, type Values } from "../values.ts";
import type { Handler } from "./serve.ts";
import {
  type DynamicValue,
  fromWire,
  type Problem,
  pathToWire,
  problemToWire,
  schemaToWire,
  toWire,
} from "./wire.ts";

interface TypedRequest {
  readonly type_name: string;
  readonly config: DynamicValue;
}
interface PlanRequest extends TypedRequest {
  readonly prior_state: DynamicValue;
  readonly proposed_new_state: DynamicValue;
}
interface ApplyRequest extends TypedRequest {
  readonly prior_state: DynamicValue;
  readonly planned_state: DynamicValue;
}

const verbs = { create: "creating", update: "updating", delete: "deleting", read: "reading" } as const;

/** Carries the configured provider from one call to the next. */
export class Handlers {
  #setup: Setup | undefined;

  constructor(private readonly provider: Provider) {}

  all(): Record<string, Handler> {
    return {
      GetProviderSchema: () => this.schema(),
      ValidateProviderConfig: () => ({ diagnostics: [] }),
      ValidateResourceConfig: (request: TypedRequest) => this.validate(request, "resources"),
      ValidateDataResourceConfig: (request: TypedRequest) => this.validate(request, "dataSources"),
      UpgradeResourceState: (request: { type_name: string; raw_state: { json: Uint8Array } }) => ({
        upgraded_state: toWire(conform(this.block(request.type_name), asValues(fromWire(request.raw_state)))),
      }),
      ConfigureProvider: (request: { config: DynamicValue }) => this.configure(request),
      ReadResource: (request: { type_name: string; current_state: DynamicValue; private: Uint8Array }) =>
        this.read(request),
      PlanResourceChange: (request: PlanRequest) => this.plan(request),
      ApplyResourceChange: (request: ApplyRequest) => this.apply(request),
      ImportResourceState: (request: { type_name: string; id: string }) => this.import(request),
      ReadDataSource: (request: TypedRequest) => this.readDataSource(request),
      ValidateEphemeralResourceConfig: () => ({ diagnostics: [] }),
      OpenEphemeralResource: (request: TypedRequest) => this.openEphemeral(request),
      CloseEphemeralResource: () => ({ diagnostics: [] }),
      StopProvider: () => ({ Error: "" }),
    };
  }

  private schema(): object {
    const { schemas } = this.provider;
    const all = (table: Readonly<Record<string, Schema>>) =>
      Object.fromEntries(Object.entries(table).map(([name, schema]) => [name, schemaToWire(schema)]));
    return {
      provider: schemaToWire(schemas.provider),
      resource_schemas: all(schemas.resources),
      data_source_schemas: all(schemas.dataSources),
      ephemeral_resource_schemas: all(
        Object.fromEntries(
          Object.entries(this.provider.ephemeralResources ?? {}).map(([name, { schema }]) => [name, schema]),
        ),
      ),
      server_capabilities: { get_provider_schema_optional: true },
    };
  }

  private block(type: string, kind: "resources" | "dataSources" = "resources"): Block {
    const schema = this.provider.schemas[kind][type];
    if (!schema) throw new Error(`the stand-in has no schema of ${type}`);
    return schema.block;
  }

  private context(type: string, kind: "resources" | "dataSources" = "resources"): Context {
    if (!this.#setup) throw new Error("the provider isn't configured");
    return { ...this.#setup, type, block: this.block(type, kind) };
  }

  private implementation(type: string): Resource {
    const found = this.provider.resource(type);
    if (!found) throw new Error(`the stand-in has no ${type}: it can be validated and planned, not applied`);
    return found;
  }

  private validate({ type_name: type, config }: TypedRequest, kind: "resources" | "dataSources"): object {
    const rules =
      kind === "resources" ? this.provider.resource(type)?.rules : this.provider.dataSource(type)?.rules;
    const problems = validate(this.block(type, kind), asValues(fromWire(config)), rules);
    return { diagnostics: problems.map(problemToWire) };
  }

  private configure({ config }: { config: DynamicValue }): object {
    try {
      this.#setup = this.provider.configure(asValues(fromWire(config)));
      return { diagnostics: [] };
    } catch (error) {
      return {
        diagnostics: [problemToWire({ summary: "Invalid provider configuration", detail: say(error) })],
      };
    }
  }

  private rules(type: string): Rules | undefined {
    const own = this.provider.resource(type)?.rules;
    const common = (this.provider.commonForceNew ?? []).filter((name) => this.block(type).attributes?.[name]);
    if (common.length === 0) return own;
    return { source: "", ...own, forceNew: [...(own?.forceNew ?? []), ...common] };
  }

  private plan(request: PlanRequest): object {
    const { type_name: type } = request;
    const block = this.block(type);
    const prior = fromWire(request.prior_state);
    const proposed = fromWire(request.proposed_new_state);
    if (!isObject(proposed)) return { planned_state: toWire(null) };
    const config = asValues(fromWire(request.config));
    const common = this.provider.common?.(proposed, this.context(type)) ?? {};
    const known = Object.entries(common).filter(
      ([name]) => block.attributes?.[name] && config[name] === null,
    );
    const { planned, requiresReplace } = planObject({
      block,
      prior: isObject(prior) ? prior : null,
      proposed,
      config,
      rules: this.rules(type),
    });
    // A region that isn't configured stays the one the object was made in.
    const fixed = known.filter(([name]) => name !== "region" || planned.region === unknown);
    return {
      planned_state: toWire({ ...planned, ...Object.fromEntries(fixed) }),
      requires_replace: requiresReplace.map(pathToWire),
      // Texts that say the same and defaults of arguments aren't in the configuration: the SDK the real provider
      // is built with has the same licence.
      legacy_type_system: true,
    };
  }

  private async read(request: {
    type_name: string;
    current_state: DynamicValue;
    private: Uint8Array;
  }): Promise<object> {
    const state = asValues(fromWire(request.current_state));
    try {
      const found = await this.current(request.type_name, state);
      return { new_state: toWire(found ?? null), private: request.private };
    } catch (error) {
      return {
        new_state: request.current_state,
        diagnostics: [this.failure("read", request.type_name, state, error)],
      };
    }
  }

  /** The state as AWS has it now; undefined when the object is gone. */
  private async current(type: string, state: Values): Promise<Values | undefined> {
    const { read, rules } = this.implementation(type);
    if (!read) return state;
    const found = await read(state, this.context(type));
    if (!found) return undefined;
    const same = Object.entries(found).filter(([name, value]) => {
      const before = state[name];
      return (
        typeof value === "string" && typeof before === "string" && rules?.sameAs?.[name]?.(value, before)
      );
    });
    const kept = same.map(([name]) => [name, state[name] ?? null]);
    return conform(this.block(type), { ...state, ...found, ...(Object.fromEntries(kept) as Values) });
  }

  private async apply(request: ApplyRequest): Promise<object> {
    const { type_name: type } = request;
    const prior = fromWire(request.prior_state);
    const planned = fromWire(request.planned_state);
    const config = asValues(fromWire(request.config));
    if (!isObject(planned)) return this.delete(type, asValues(prior));
    const kind = isObject(prior) ? "update" : "create";
    let learned: Values | undefined = isObject(prior) ? prior : undefined;
    try {
      const resource = this.implementation(type);
      const context = this.context(type);
      learned = isObject(prior)
        ? { ...prior, ...(await resource.update?.({ prior, planned, config }, context)) }
        : await resource.create({ planned, config }, context);
      const made = asValues(fillUnknown(planned, learned));
      if (kind === "create") await resource.finish?.(made, context);
      await resource.settle?.(made, context);
      const seen = await this.current(type, made);
      if (!seen) throw new Error("the object was gone right after it was made");
      return { new_state: toWire(fillUnknown(planned, { ...learned, ...seen })), legacy_type_system: true };
    } catch (error) {
      const diagnostics = [this.failure(kind, type, planned, error)];
      // As the SDK of the real provider: what was planned is saved also when the update failed, and only a type that is
      // read again shows the difference in the next plan. A failed creation leaves whatever was made, tainted.
      const left = learned && fillUnknown(planned, isObject(prior) ? { ...prior, ...learned } : learned);
      return { new_state: toWire(left ?? null), diagnostics, legacy_type_system: true };
    }
  }

  private async delete(type: string, prior: Values): Promise<object> {
    try {
      await this.implementation(type).delete?.(prior, this.context(type));
      return { new_state: toWire(null) };
    } catch (error) {
      return { new_state: toWire(prior), diagnostics: [this.failure("delete", type, prior, error)] };
    }
  }

  private async import({ type_name: type, id }: { type_name: string; id: string }): Promise<object> {
    try {
      const context = this.context(type);
      const common = this.provider.common?.({}, context) ?? {};
      const known = (await this.implementation(type).import?.(id, context)) ?? { id };
      const state = conform(this.block(type), { ...common, ...known });
      return { imported_resources: [{ type_name: type, state: toWire(state) }] };
    } catch (error) {
      return { diagnostics: [this.failure("read", type, { id }, error)] };
    }
  }

  private async readDataSource({ type_name: type, config: message }: TypedRequest): Promise<object> {
    const config = asValues(fromWire(message));
    try {
      const source = this.provider.dataSource(type);
      if (!source) throw new Error(`the stand-in has no data source ${type}: it can only be validated`);
      const context = this.context(type, "dataSources");
      const known = { region: config.region ?? context.region };
      const state = { ...config, ...known, ...(await source.read(config, context)) };
      return { state: toWire(conform(context.block, state)) };
    } catch (error) {
      return { diagnostics: [this.failure("read", type, config, error, "dataSources")] };
    }
  }

  private async openEphemeral({ type_name: type, config: message }: TypedRequest): Promise<object> {
    const found = this.provider.ephemeralResources?.[type];
    if (!found) throw new Error(`the stand-in has no ephemeral ${type}`);
    const config = asValues(fromWire(message));
    try {
      if (!this.#setup) throw new Error("the provider isn't configured");
      const opened = await found.open(config, this.#setup);
      return { result: toWire(conform(found.schema.block, { ...config, ...opened })) };
    } catch (error) {
      return { diagnostics: [problemToWire({ summary: `opening ${type}: ${say(error)}`, detail: "" })] };
    }
  }

  private failure(
    kind: keyof typeof verbs,
    type: string,
    values: Values,
    error: unknown,
    table: "resources" | "dataSources" = "resources",
  ): object {
    const id = typeof values.id === "string" ? ` (${values.id})` : "";
    const problem: Problem = { summary: `${verbs[kind]} ${type}${id}: ${say(error)}`, detail: "" };
    if (!(error instanceof AttributeError)) return problemToWire(problem);
    return problemToWire({ ...problem, path: pathOf(this.block(type, table), error.path) });
  }
}

function asValues(value: Value): Values {
  return isObject(value) ? value : {};
}

function say(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
