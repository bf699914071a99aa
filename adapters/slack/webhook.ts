import { RoundtripError } from "../../core/errors.ts";
import type { SlackMessage } from "../../core/notices/slack-message.ts";
import type { Clock } from "../../core/ports.ts";

const triesMax = 5;
const answerMs = 10_000;
const firstPauseMs = 1_000;
const quoteLengthMax = 100;

/** One of Slack's incoming webhooks. Its address lets anybody post: no error and no log names more of it than its secret. */
export class SlackWebhook {
  private constructor(
    private readonly address: string,
    private readonly secret: string,
    private readonly clock: Clock,
  ) {}

  /**
   * The webhook of a secret's field `url`. Fails `configuration` for anything but an https address; http is taken to this
   * machine itself, where nobody can listen.
   */
  static of(fields: Readonly<Record<string, string>>, secret: string, clock: Clock): SlackWebhook {
    const { url = "" } = fields;
    const address = URL.parse(url);
    const isLoopback =
      address?.protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(address.hostname);
    if (address && !address.username && (address.protocol === "https:" || isLoopback))
      return new SlackWebhook(url, secret, clock);
    throw new RoundtripError({
      kind: "configuration",
      what: `read the address of Slack's webhook from secret ${secret}`,
      expected: "field url with an https address",
      got: url === "" ? "no url" : "a url that is none",
      wayOut: 'store it as {"url": "https://hooks.slack.com/services/…"} in Secrets Manager (docs/slack.md)',
    });
  }

  /**
   * Posts a message, and again after Slack's own Retry-After or growing pauses, for as long as `timeLeftMs` gives. Fails
   * `unavailable` when that did not help, `configuration` for what another try can't mend (the channel is gone, the address
   * is no webhook). A post whose answer was lost is repeated: then it is told twice.
   */
  async post(message: SlackMessage, timeLeftMs: () => number): Promise<void> {
    const body = JSON.stringify(message);
    for (let attempt = 1; ; attempt++) {
      const answer = await this.once(body, timeLeftMs());
      if (answer.posted) return;
      const pauseMs = answer.retryAfterMs ?? firstPauseMs * 2 ** (attempt - 1);
      if (!answer.canPass) throw this.failed("configuration", answer.got, notMended);
      if (attempt === triesMax || pauseMs >= timeLeftMs())
        throw this.failed("unavailable", `${answer.got}, after ${attempt} tries`, passing);
      await this.clock.sleep(pauseMs);
    }
  }

  private async once(body: string, timeLeftMs: number): Promise<Answer> {
    let reply: Response;
    let text: string;
    try {
      reply = await fetch(this.address, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        redirect: "manual",
        signal: AbortSignal.timeout(Math.max(1, Math.min(answerMs, timeLeftMs))),
      });
      text = await reply.text();
    } catch (error) {
      // Not its message and cause, which may name the address: its kind.
      return {
        posted: false,
        canPass: true,
        got: `no answer (${error instanceof Error ? error.name : "error"})`,
      };
    }
    if (reply.status === 200 && text.trim() === "ok") return { posted: true };
    const seconds = Number(reply.headers.get("retry-after") ?? Number.NaN);
    return {
      posted: false,
      canPass: reply.status === 429 || reply.status >= 500,
      got: `status ${reply.status} ${quoted(text)}`,
      ...(reply.status === 429 && seconds >= 0 ? { retryAfterMs: seconds * 1000 } : {}),
    };
  }

  private failed(kind: "configuration" | "unavailable", got: string, wayOut: string): RoundtripError {
    const what = `post to the Slack webhook of secret ${this.secret}`;
    return new RoundtripError({ kind, what, expected: "status 200 ok", got, wayOut });
  }
}

type Answer =
  | { readonly posted: true }
  | {
      readonly posted: false;
      readonly canPass: boolean;
      readonly got: string;
      readonly retryAfterMs?: number;
    };

const passing =
  "see whether Slack is up (status.slack.com) and reachable from the function; Lambda tries again by itself";
const notMended =
  "make a new webhook in Slack for a channel that is there, and put its address into the secret (docs/slack.md)";

/** Slack answers with a word, such as invalid_payload or channel_is_archived; a proxy with a page. */
function quoted(text: string): string {
  return text
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim()
    .slice(0, quoteLengthMax);
}
