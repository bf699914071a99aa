import type { Fault, Faults } from "../aws/faults.ts";
import type { Journal } from "../aws/journal.ts";
import { errorResponse, GitHubError, notFound } from "./answer.ts";
import { pageOf } from "./page.ts";
import { primaryLimit, type RateLimit, secondaryLimit } from "./rate-limit.ts";
import type { Answer, Route, Router } from "./route.ts";
import type { Fields, Store } from "./store.ts";
import { authorize, type Tokens } from "./tokens.ts";

interface DispatchOptions {
  readonly store: Store;
  readonly tokens: Tokens;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly limit: RateLimit;
  readonly router: Router;
}

interface Found {
  readonly route: Route;
  readonly path: Readonly<Record<string, string>>;
}

/** Seconds until a made-up primary limit is over. */
const armedResetSeconds = 1;

/** An answer that makes Bun drop the TCP connection without sending a byte. */
function resetResponse(): Response {
  return new Response(new ReadableStream({ start: (controller) => controller.error() }));
}

/** Takes every REST request: finds its route, lets armed faults act, runs it, and writes the journal. */
export class Dispatcher {
  constructor(private readonly options: DispatchOptions) {}

  async handle(request: Request): Promise<Response> {
    const started = performance.now();
    const url = new URL(request.url);
    const found = this.options.router.find(request.method, url.pathname);
    const operation = found?.route.operation ?? `${request.method} ${url.pathname}`;
    const caller = /(?:^|\s)app\/(\S+)/.exec(request.headers.get("user-agent") ?? "")?.[1] ?? "";
    const firing = this.options.faults.match({ service: "github", operation, key: url.pathname, caller });
    const text = await request.text();
    const response = await this.answer(request, url, text, found, firing);
    this.options.journal.add({
      time: new Date().toISOString(),
      caller,
      service: "github",
      operation,
      key: url.pathname,
      status: response?.status ?? 0,
      bytes: text.length,
      ms: Math.round((performance.now() - started) * 100) / 100,
      fault: firing.map(({ id }) => id).join(" "),
    });
    return response ?? resetResponse();
  }

  /** Runs the request between its faults; undefined where the connection is to be reset. */
  private async answer(
    request: Request,
    url: URL,
    text: string,
    found: Found | undefined,
    firing: readonly Fault[],
  ): Promise<Response | undefined> {
    const early = await act(firing, "before");
    if (early !== "go on") return early;
    const response = this.effect(request, url, text, found);
    const late = await act(firing, "after");
    return late === "go on" ? response : late;
  }

  private effect(request: Request, url: URL, text: string, found: Found | undefined): Response {
    let headers: Record<string, string> = {};
    try {
      const { store, tokens, limit } = this.options;
      const { token, identity } = tokens.identify(request);
      const counted = limit.count(token);
      headers = counted.headers;
      if (counted.refusal) throw counted.refusal;
      if (found === undefined) throw notFound();
      const { route, path } = found;
      const repository = path.owner === undefined ? "" : `${path.owner}/${path.repo}`.toLowerCase();
      if (repository !== "" && store.get("repository", "", repository) === undefined) throw notFound();
      authorize(identity, route.needs);
      const now = new Date().toISOString();
      const body = parsed(text);
      return respond(url, route.handle({ store, url, repository, path, body, identity, now }), headers);
    } catch (error) {
      return errorResponse(error, headers);
    }
  }
}

function parsed(text: string): Fields {
  if (text === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === "object" && !Array.isArray(value)) return value as Fields;
  } catch {
    // Answered below, as any other body that is no object.
  }
  throw new GitHubError(400, "Problems parsing JSON");
}

function respond(url: URL, answer: Answer, headers: Readonly<Record<string, string>>): Response {
  const status = answer.status ?? 200;
  if (answer.items === undefined)
    return status === 204
      ? new Response(null, { status, headers })
      : Response.json(answer.body ?? {}, { status, headers });
  const { items, link } = pageOf(url, answer.items);
  const body = answer.wrap ? { total_count: answer.items.length, [answer.wrap]: items } : items;
  return Response.json(body, { status, headers: { ...headers, ...(link ? { link } : {}) } });
}

async function act(firing: readonly Fault[], when: Fault["when"]): Promise<Response | undefined | "go on"> {
  for (const { action, id } of firing.filter((fault) => fault.when === when)) {
    if ("delayMs" in action) await Bun.sleep(action.delayMs);
    else if ("reset" in action) return undefined;
    else if ("code" in action) return errorResponse(armed(action.status, action.code, id), {});
  }
  return "go on";
}

/** `rate-limit`, `secondary-rate-limit` and `secondary-rate-limit:SECONDS` are answered as GitHub words them. */
function armed(status: number, code: string, id: string): GitHubError {
  const [name, seconds] = code.split(":");
  if (name === "rate-limit") return primaryLimit(Math.ceil(Date.now() / 1000) + armedResetSeconds);
  if (name === "secondary-rate-limit")
    return secondaryLimit(status, seconds === undefined ? undefined : Number(seconds));
  return new GitHubError(status, `${code} (armed fault ${id})`);
}
