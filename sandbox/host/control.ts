import type { Agent, AgentCommand } from "./agent.ts";
import { type Manager, UnitRequestError } from "./manager.ts";
import { signalProcess } from "./processes.ts";
import { propertiesOf } from "./show.ts";
import { runSystemctl } from "./systemctl/command.ts";

/** The power switch of the machine: the agent lives and dies with it. */
export class Power {
  #change: Promise<void> = Promise.resolve();

  constructor(
    readonly manager: Manager,
    readonly agent: Agent,
  ) {}

  boot(): Promise<void> {
    return this.#next(() => this.manager.boot());
  }

  /** `hard`: the plug is pulled, nothing gets a SIGTERM. */
  halt(hard: boolean): Promise<void> {
    return this.#next(async () => {
      await Promise.all([this.agent.halt(), hard ? this.manager.cut() : this.manager.halt()]);
    });
  }

  #next(change: () => Promise<void>): Promise<void> {
    this.#change = this.#change.then(change, change);
    return this.#change;
  }
}

type Handler = (request: Request, rest: string) => Promise<Response> | Response;

/** The HTTP interface of a machine; on loopback, for the aws stand-in, the shims and tests. */
export function controlHandler(
  manager: Manager,
  agent: Agent,
  power: Power,
): (request: Request) => Promise<Response> {
  const routes: Readonly<Record<string, Handler>> = {
    "POST boot": async () => {
      await power.boot();
      return Response.json({ running: true });
    },
    "POST halt": async (request) => {
      const { hard } = await bodyOf<{ hard?: boolean }>(request);
      await power.halt(hard === true);
      return Response.json({ running: false });
    },
    "GET status": () =>
      Response.json({ running: manager.bootedAt !== undefined, bootedAt: manager.bootedAt?.toISOString() }),
    "POST systemctl": async (request) =>
      Response.json(await runSystemctl(manager, (await bodyOf<{ argv: string[] }>(request)).argv)),
    "GET units": () => Response.json(manager.unitNames().map((name) => propertiesOf(manager, name))),
    "GET processes": () =>
      Response.json(
        [...manager.services.values()].map(({ unit, status, run }) => ({
          unit: unit.name,
          mainPid: status.mainPid,
          pids: run?.processes() ?? [],
        })),
      ),
    "POST kill": async (request) =>
      kill(manager, await bodyOf<{ unit: string; signal?: NodeJS.Signals }>(request)),
    "POST commands": async (request, rest) => {
      if (rest.endsWith("/cancel")) agent.cancel(rest.slice(0, -"/cancel".length));
      else if (!manager.bootedAt) return Response.json({ error: "the machine is off" }, { status: 503 });
      else agent.start(await bodyOf<AgentCommand>(request));
      return Response.json({});
    },
    "GET commands": (request, rest) => {
      const step = new URL(request.url).searchParams.get("output");
      if (step !== null) return Response.json(agent.output(rest, step));
      const state = agent.state(rest);
      return state ? Response.json(state) : Response.json({ error: `no command ${rest}` }, { status: 404 });
    },
  };
  return async (request) => {
    const [area = "", ...more] = new URL(request.url).pathname.slice(1).split("/");
    const handler = routes[`${request.method} ${area}`];
    if (!handler)
      return Response.json(
        { error: `no ${request.method} /${area}; there are ${Object.keys(routes).join(", ")}` },
        { status: 404 },
      );
    try {
      return await handler(request, more.join("/"));
    } catch (error) {
      const status = error instanceof UnitRequestError ? 404 : 500;
      return Response.json(
        { error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
        { status },
      );
    }
  };
}

/** SIGKILL (or the signal named) to the main process; a unit without one is an error, so that no kill hits nothing unseen. */
function kill(
  manager: Manager,
  { unit, signal = "SIGKILL" }: { unit: string; signal?: NodeJS.Signals },
): Response {
  const name = unit.includes(".") ? unit : `${unit}.service`;
  const pid = manager.services.get(name)?.status.mainPid ?? 0;
  if (pid === 0) return Response.json({ error: `${name} has no main process` }, { status: 404 });
  signalProcess(pid, signal);
  return Response.json({ unit: name, pid });
}

async function bodyOf<T>(request: Request): Promise<T> {
  const text = await request.text();
  return (text === "" ? {} : JSON.parse(text)) as T;
}
