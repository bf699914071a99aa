import { describe, expect, test } from "bun:test";
import { phaseNotice } from "../../core/notices/phase-notice.ts";
import { type ArmedAnswer, type SlackServer, startSlack } from "../../sandbox/slack/server.ts";
import { InstantClock } from "../../tests/support/instant-clock.ts";
import { SlackWebhook } from "./webhook.ts";

const message = phaseNotice(
  { from: "normal", to: "capturing", at: "2026-11-21T03:04:05Z", by: "octocat", failbackId: "fb-1" },
  { environment: "dev" },
);

async function post(slack: SlackServer, leftMs = 50_000): Promise<{ error?: Error; seconds: number }> {
  const clock = new InstantClock();
  const end = clock.monotonicMs() + leftMs;
  const webhook = SlackWebhook.of({ url: slack.webhook }, "roundtrip/dev/slack", clock);
  const error = await webhook
    .post(message, () => end - clock.monotonicMs())
    .then(() => undefined)
    .catch((reason: Error) => reason);
  // The address is as good as a password.
  const token = slack.webhook.split("/").at(-1)!;
  if (error) expect(Bun.inspect(error)).not.toContain(token);
  return { ...(error ? { error } : {}), seconds: (leftMs - (end - clock.monotonicMs())) / 1000 };
}

describe("a post", () => {
  test("arrives as Slack takes it", async () => {
    await using slack = startSlack();
    expect(await post(slack)).toEqual({ seconds: 0 });
    expect(slack.messages).toEqual([{ ...message, at: expect.any(Number) }]);
  });

  const passing: [string, ArmedAnswer, number][] = [
    ["429 waits as long as Slack asks", { status: 429, retryAfter: 17 }, 17],
    ["429 without a time waits as for any error", { status: 429, times: 2 }, 1 + 2],
    ["a server error waits longer each time", { status: 503, times: 3 }, 1 + 2 + 4],
  ];
  test.each(passing)("%s, then it is posted", async (_, armed, seconds) => {
    await using slack = startSlack();
    slack.arm(armed);
    expect(await post(slack)).toEqual({ seconds });
    expect(slack.messages).toHaveLength(1);
  });

  test("that Slack never takes ends after five tries", async () => {
    await using slack = startSlack();
    slack.arm({ status: 500, body: "rollup_error", times: 9 });
    const { error, seconds } = await post(slack);
    expect(error).toMatchObject({ kind: "unavailable", got: "status 500 rollup_error, after 5 tries" });
    expect([slack.answers.length, seconds]).toEqual([5, 15]);
  });

  test("that Slack puts off beyond the time left ends at once", async () => {
    await using slack = startSlack();
    slack.arm({ status: 429, retryAfter: 600 });
    expect((await post(slack)).error).toMatchObject({ kind: "unavailable" });
    expect(slack.answers).toEqual([429]);
  });

  test("to nobody ends after five tries", async () => {
    const slack = startSlack();
    await slack[Symbol.asyncDispose]();
    expect((await post(slack)).error).toMatchObject({
      kind: "unavailable",
      got: expect.stringMatching(/^no answer \(\w+\), after 5 tries$/),
    });
  });

  const final: [string, ArmedAnswer, string][] = [
    ["an archived channel", { status: 410, body: "channel_is_archived" }, "status 410 channel_is_archived"],
    ["a refused payload", { status: 400, body: "invalid_payload" }, "status 400 invalid_payload"],
    ["a proxy's page", { status: 200, body: "<html>\nsign in</html>" }, "status 200 <html> sign in</html>"],
    ["another place", { status: 302, body: "" }, "status 302 "],
  ];
  test.each(final)("that meets %s is not repeated", async (_, armed, got) => {
    await using slack = startSlack();
    slack.arm(armed);
    expect((await post(slack)).error).toMatchObject({ kind: "configuration", got });
    expect(slack.answers).toHaveLength(1);
  });
});

describe("the secret's address", () => {
  const clock = new InstantClock();
  const of = (fields: Record<string, string>) => SlackWebhook.of(fields, "roundtrip/dev/slack", clock);

  test.each(["https://hooks.slack.com/services/T/B/x", "http://127.0.0.1:1/x"])("%s is taken", (url) => {
    expect(() => of({ url })).not.toThrow();
  });

  test.each([
    "",
    "planted-4711",
    "http://hooks.slack.com/planted-4711",
    "https://planted-4711:x@slack.com/",
    "file:///x",
  ])("%p is refused without being quoted", (url) => {
    expect(() => of({ url })).toThrow(
      "from secret roundtrip/dev/slack: expected field url with an https address",
    );
    expect(() => of({ url })).not.toThrow(/planted/);
  });
});
