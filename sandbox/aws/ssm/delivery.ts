import type { AgentCommand, CommandState } from "../../host/agent.ts";
import type { Instance, InstanceStore } from "../ec2/instance-store.ts";
import type { ServiceContext } from "../service.ts";
import {
  type Command,
  type CommandStore,
  type Invocation,
  type InvocationStatus,
  type StepResult,
  terminal,
} from "./command-store.ts";
import { writeOutput } from "./output-bucket.ts";
import type { SsmSettings } from "./settings.ts";

const tickMs = 100;
const callTimeoutMs = 5000;
const defaultExecutionSeconds = 3600;

/** Carries commands to the agents and their results back, whatever the stand-in or a machine goes through meanwhile. */
export class Delivery {
  #timer: Timer | undefined;
  readonly #moving = new Map<string, Promise<Invocation>>();

  constructor(
    readonly context: ServiceContext,
    readonly commands: CommandStore,
    readonly instances: InstanceStore,
    readonly settings: () => SsmSettings,
  ) {}

  /** Works until no invocation is open; called after each SendCommand and when the stand-in starts. */
  wake(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => {
      const open = this.commands.open();
      if (open.length === 0) this.dispose();
      for (const invocation of open) void this.advance(invocation);
    }, tickMs);
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Brings one invocation up to date; one attempt at a time. */
  advance(invocation: Invocation): Promise<Invocation> {
    const key = `${invocation.commandId} ${invocation.instanceId}`;
    const running = this.#moving.get(key);
    if (running) return running;
    const moving = this.#advance(invocation).finally(() => this.#moving.delete(key));
    this.#moving.set(key, moving);
    return moving;
  }

  async #advance(invocation: Invocation): Promise<Invocation> {
    const command = this.commands.command(invocation.commandId)!;
    const instance = this.instances.find(invocation.instanceId);
    if (terminal.has(invocation.status)) return invocation;
    return invocation.deliveredAt === 0
      ? this.#deliver(command, invocation, instance)
      : this.#follow(command, invocation, instance);
  }

  async #deliver(
    command: Command,
    invocation: Invocation,
    instance: Instance | undefined,
  ): Promise<Invocation> {
    if (invocation.cancelRequested) return this.#end(invocation, "Cancelled", "Cancelled");
    const age = this.#now() - command.requestedAt;
    if (age > command.timeoutSeconds * 1000) return this.#end(invocation, "TimedOut", "DeliveryTimedOut");
    if (age < this.settings().deliveryMs || !instance || instance.state !== "running") return invocation;
    const body: AgentCommand = {
      commandId: command.id,
      instanceId: instance.id,
      region: this.context.region,
      parameters: command.parameters,
      definitions: command.content.parameters,
      generation: this.settings().agentGeneration === "text" ? "text" : "reference",
      steps: command.content.mainSteps.filter(isForLinux),
    };
    const answer = await call(instance, "POST", "commands", body);
    if (!answer?.ok) return invocation;
    // Read again: a cancellation may have come while the agent was called.
    const current = this.commands.invocation(invocation.commandId, invocation.instanceId)!;
    return this.commands.save({
      ...current,
      status: "InProgress",
      details: "InProgress",
      deliveredAt: this.#now(),
    });
  }

  async #follow(
    command: Command,
    invocation: Invocation,
    instance: Instance | undefined,
  ): Promise<Invocation> {
    if (invocation.cancelRequested && instance)
      await call(instance, "POST", `commands/${command.id}/cancel`, {});
    const state = instance ? await this.#stateOf(instance, command.id) : undefined;
    const current = this.commands.invocation(invocation.commandId, invocation.instanceId)!;
    if (terminal.has(current.status)) return current;
    if (!state || state.status === "lost") {
      // Nobody is left who could say how it ended; the service only learns from its own clock.
      if (this.#now() - invocation.deliveredAt < executionSeconds(command) * 1000) return current;
      return this.#end(current, "TimedOut", "ExecutionTimedOut");
    }
    const steps = state.steps as readonly StepResult[];
    if (!terminal.has(state.status as InvocationStatus)) {
      return this.commands.save({
        ...current,
        steps,
        status: current.cancelRequested ? "Cancelling" : "InProgress",
        details: current.cancelRequested ? "Cancelling" : "InProgress",
      });
    }
    if (command.outputBucket !== "") await this.#saveOutput(command, current, steps, instance!);
    const status = state.status as InvocationStatus;
    return this.#end({ ...current, steps }, status, status === "TimedOut" ? "ExecutionTimedOut" : status);
  }

  async #stateOf(instance: Instance, commandId: string): Promise<CommandState | undefined> {
    const answer = await call(instance, "GET", `commands/${commandId}`);
    return answer?.ok ? ((await answer.json()) as CommandState) : undefined;
  }

  async #saveOutput(
    command: Command,
    invocation: Invocation,
    steps: readonly StepResult[],
    instance: Instance,
  ): Promise<void> {
    for (const { name } of steps) {
      const answer = await call(instance, "GET", `commands/${command.id}?output=${name}`);
      if (answer?.ok)
        await writeOutput(
          this.context,
          command,
          invocation.instanceId,
          name,
          (await answer.json()) as { stdout: string; stderr: string },
        );
    }
  }

  #end(invocation: Invocation, status: InvocationStatus, details: string): Invocation {
    return this.commands.save({ ...invocation, status, details });
  }

  #now(): number {
    return this.context.now().getTime();
  }
}

function isForLinux({ precondition }: Command["content"]["mainSteps"][number]): boolean {
  const platform = precondition?.StringEquals;
  return !platform?.includes("Windows");
}

function executionSeconds(command: Command): number {
  return command.content.mainSteps.reduce((sum, { inputs }) => {
    const asked = String(inputs.timeoutSeconds ?? defaultExecutionSeconds);
    const name = /^\{\{\s*([a-zA-Z0-9]+)\s*\}\}$/.exec(asked)?.[1];
    return sum + (Number(name ? command.parameters[name] : asked) || defaultExecutionSeconds);
  }, 0);
}

async function call(
  instance: Instance,
  method: string,
  path: string,
  body?: object,
): Promise<Response | undefined> {
  if (instance.control === "") return undefined;
  try {
    return await fetch(`${instance.control}/${path}`, {
      method,
      ...(body ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(callTimeoutMs),
    });
  } catch {
    // The machine is off or its process gone: the next turn tries again, until the command's own limits.
    return undefined;
  }
}
