import { type Faults, parseFault } from "../aws/faults.ts";
import type { Journal } from "../aws/journal.ts";
import type { RateLimit } from "./rate-limit.ts";
import { seed } from "./seed.ts";
import type { Fields, Store } from "./store.ts";
import type { Tokens } from "./tokens.ts";

interface Steered {
  readonly store: Store;
  readonly tokens: Tokens;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly limit: RateLimit;
}

async function faults(request: Request, rest: string, { faults }: Steered): Promise<unknown> {
  if (request.method === "GET") return faults.list();
  if (request.method === "DELETE") return { cleared: faults.clear(rest === "" ? undefined : rest) };
  const fault = parseFault(await request.json());
  if ("kill" in fault.action || "okWithError" in fault.action)
    throw new Error("GitHub has no such fault: expected {status, code}, {delayMs} or {reset: true}");
  faults.arm(fault);
  return fault;
}

function journal(request: Request, url: URL, { journal }: Steered): unknown {
  if (request.method === "DELETE") {
    journal.clear();
    return {};
  }
  return journal.after(
    Number(url.searchParams.get("after") ?? 0),
    Number(url.searchParams.get("limit") ?? 100_000),
  );
}

async function rateLimit(request: Request, { limit }: Steered): Promise<unknown> {
  const { limit: requests, windowSeconds } = (await request.json()) as Fields;
  if (!(Number(requests) > 0 && Number(windowSeconds) > 0))
    throw new Error("expected limit and windowSeconds, both above 0");
  limit.set({ limit: Number(requests), windowSeconds: Number(windowSeconds) });
  return {};
}

/** Answers a request below `/_sandbox/`. Unauthenticated: the stand-in listens on loopback only. */
export async function handleControl(request: Request, steered: Steered): Promise<Response> {
  const url = new URL(request.url);
  const [area = "", ...more] = url.pathname.slice("/_sandbox/".length).split("/");
  try {
    switch (area) {
      case "faults":
        return Response.json(await faults(request, more.join("/"), steered));
      case "journal":
        return Response.json(journal(request, url, steered));
      case "seed":
        return Response.json(seed((await request.json()) as Fields, steered));
      case "rate-limit":
        return Response.json(await rateLimit(request, steered));
      case "health":
        return Response.json({ ok: true, pid: process.pid });
      default: {
        const error = `unknown /_sandbox/${area}; there are faults, journal, seed, rate-limit, health`;
        return Response.json({ error }, { status: 404 });
      }
    }
  } catch (error) {
    return Response.json({ error: error instanceof Error ? error.message : String(error) }, { status: 400 });
  }
}
