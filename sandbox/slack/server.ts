/**
 * Slack's incoming webhooks: takes posts, checks them as Slack does, and says what it got. In the process of whoever starts it,
 * on loopback. Words and statuses: Slack, "Sending messages using incoming webhooks", "Handling errors"; limits: Block Kit reference.
 */
import { randomBytes } from "node:crypto";
import { refusalOf } from "./check.ts";

export interface PostedMessage {
  readonly text: string;
  readonly blocks: readonly unknown[];
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** An answer in the place of the usual one, to the next posts. */
export interface ArmedAnswer {
  readonly status: number;
  readonly body?: string;
  /** Seconds, as Slack says it with 429. */
  readonly retryAfter?: number;
  readonly times?: number;
  /** The message is posted all the same; the answer says otherwise. */
  readonly posted?: boolean;
}

export interface SlackServer extends AsyncDisposable {
  /** The address of the one webhook: who has it may post. */
  readonly webhook: string;
  /** What the channel shows, oldest first. */
  readonly messages: readonly PostedMessage[];
  /** Status of every answer given, oldest first. */
  readonly answers: readonly number[];
  arm(answer: ArmedAnswer): void;
}

export function startSlack(): SlackServer {
  const path = `/services/T0SANDBOX/B0SANDBOX/${randomBytes(18).toString("base64url")}`;
  const messages: PostedMessage[] = [];
  const answers: number[] = [];
  const armed: { answer: ArmedAnswer; left: number }[] = [];

  function nextArmed(): ArmedAnswer | undefined {
    const first = armed[0];
    if (first === undefined) return undefined;
    first.left -= 1;
    if (first.left === 0) armed.shift();
    return first.answer;
  }

  async function answer(request: Request): Promise<Response> {
    if (request.method !== "POST") return new Response("invalid_payload", { status: 400 });
    if (new URL(request.url).pathname !== path) return new Response("no_service", { status: 404 });
    const special = nextArmed();
    const text = await request.text();
    const refusal = refusalOf(text, request.headers.get("content-type") ?? "");
    if (refusal === undefined && (special === undefined || special.posted === true)) {
      const { text: words = "", blocks = [] } = JSON.parse(text) as Partial<PostedMessage>;
      messages.push({ text: words, blocks, at: Date.now() });
    }
    if (special !== undefined)
      return new Response(special.body ?? "error", {
        status: special.status,
        headers: special.retryAfter === undefined ? {} : { "retry-after": String(special.retryAfter) },
      });
    return refusal === undefined ? new Response("ok") : new Response(refusal, { status: 400 });
  }

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const answered = await answer(request);
      answers.push(answered.status);
      return answered;
    },
  });
  return {
    webhook: `http://127.0.0.1:${server.port}${path}`,
    messages,
    answers,
    arm: (each) => void armed.push({ answer: each, left: each.times ?? 1 }),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
