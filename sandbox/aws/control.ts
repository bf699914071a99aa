import { type Faults, parseFault } from "./faults.ts";
import { defaultCredentials, type Identities } from "./identity.ts";
import type { Journal } from "./journal.ts";
import type { Processes } from "./processes.ts";
import { AwsError } from "./service.ts";

/** What `/_sandbox` steers. */
interface Controlled {
  readonly faults: Faults;
  readonly journal: Journal;
  readonly processes: Processes;
  readonly identities: Identities;
  readonly account: string;
  /** Areas that services bring along (`control` of a Service). */
  readonly routes: ReadonlyMap<string, (request: Request, rest: string) => unknown>;
}

const sessionMs = 6 * 3_600_000;

async function body(request: Request): Promise<Record<string, unknown>> {
  const value: unknown = await request.json().catch(() => undefined);
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new AwsError("ValidationException", "expected a JSON object in the body");
  }
  return value as Record<string, unknown>;
}

function text(input: Record<string, unknown>, name: string): string {
  const value = input[name];
  if (typeof value !== "string" || value === "")
    throw new AwsError("ValidationException", `expected ${name} as text, got ${JSON.stringify(value)}`);
  return value;
}

async function faults(request: Request, rest: string, { faults }: Controlled): Promise<unknown> {
  if (request.method === "GET") return faults.list();
  if (request.method === "DELETE") return { cleared: faults.clear(rest === "" ? undefined : rest) };
  const fault = parseFault(await body(request));
  faults.arm(fault);
  return fault;
}

function journal(request: Request, { journal }: Controlled): unknown {
  if (request.method === "DELETE") {
    journal.clear();
    return {};
  }
  const { searchParams } = new URL(request.url);
  return journal.after(Number(searchParams.get("after") ?? 0), Number(searchParams.get("limit") ?? 100_000));
}

async function processes(request: Request, rest: string, { processes }: Controlled): Promise<unknown> {
  if (request.method === "GET") return processes.list();
  if (request.method === "DELETE")
    return { removed: processes.removeProcess(rest || text(await body(request), "name")) };
  const input = await body(request);
  if (typeof input.pid !== "number" || input.pid < 2)
    throw new AwsError("ValidationException", `expected pid as a number, got ${JSON.stringify(input.pid)}`);
  processes.registerProcess(text(input, "name"), input.pid, input.group === true);
  return {};
}

async function hosts(request: Request, rest: string, { processes }: Controlled): Promise<unknown> {
  if (request.method === "GET") return processes.list().hosts;
  if (request.method === "DELETE")
    return { removed: processes.removeHost(rest || text(await body(request), "instanceId")) };
  const input = await body(request);
  processes.registerHost(text(input, "instanceId"), text(input, "control"));
  return {};
}

/** `GET …/credentials/role/<name>` answers as a container's credential endpoint does (AWS_CONTAINER_CREDENTIALS_FULL_URI). */
async function credentials(
  request: Request,
  rest: string,
  { identities, account }: Controlled,
): Promise<unknown> {
  if (request.method === "GET" && rest.startsWith("role/")) {
    const arn = `arn:aws:iam::${account}:role/${rest.slice("role/".length)}`;
    const session = identities.createSession(arn, "sandbox", Date.now() + sessionMs);
    return {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      Token: session.sessionToken,
      Expiration: new Date(session.expires ?? 0).toISOString(),
    };
  }
  if (request.method === "GET") return { default: defaultCredentials, all: identities.list() };
  if (request.method === "DELETE") return { removed: identities.remove(rest) };
  const input = await body(request);
  return identities.createUserKey(
    text(input, "user"),
    input.accessKeyId === undefined ? undefined : text(input, "accessKeyId"),
    input.secretAccessKey === undefined ? undefined : text(input, "secretAccessKey"),
  );
}

/** Answers a request below `/_sandbox/`. Unauthenticated: the stand-in listens on loopback only. */
export async function handleControl(
  request: Request,
  path: string,
  controlled: Controlled,
): Promise<Response> {
  const [area = "", ...more] = path.slice("/_sandbox/".length).split("/");
  const rest = decodeURIComponent(more.join("/"));
  try {
    const route = controlled.routes.get(area);
    if (route) return Response.json((await route(request, rest)) ?? {});
    switch (area) {
      case "faults":
        return Response.json(await faults(request, rest, controlled));
      case "journal":
        return Response.json(journal(request, controlled));
      case "processes":
        return Response.json(await processes(request, rest, controlled));
      case "hosts":
        return Response.json(await hosts(request, rest, controlled));
      case "credentials":
        return Response.json(await credentials(request, rest, controlled));
      case "health":
        return Response.json({ ok: true, pid: process.pid });
      default:
        return Response.json(
          {
            error: `unknown /_sandbox/${area}; there are faults, journal, processes, hosts, credentials, health`,
          },
          { status: 404 },
        );
    }
  } catch (error) {
    const status = error instanceof AwsError ? error.status : 500;
    return Response.json({ error: error instanceof Error ? error.message : String(error) }, { status });
  }
}
