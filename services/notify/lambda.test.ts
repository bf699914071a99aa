/** What Slack hears, through the function's archive, S3 and SNS: see tests/support/notify-world.ts. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { type Called, NotifyWorld } from "../../tests/support/notify-world.ts";
import { waitFor } from "../../tests/support/wait-for.ts";

// One story: what was told before is known to the tests behind.
let world: NotifyWorld;
beforeAll(async () => {
  world = await NotifyWorld.start();
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());

afterEach(async () => {
  // The webhook's address is as good as a password: in no log, no answer, no record, no object, no request.
  const token = world.slack.webhook.split("/").at(-1)!;
  const objects = await Array.fromAsync(world.store.list(""));
  const bodies = await Promise.all(objects.map(async ({ key }) => (await world.store.get(key))?.body));
  const told = {
    calls: await world.calls(),
    published: await world.published(),
    objects: bodies.map((body) => new TextDecoder().decode(body)),
    journal: await world.aws.control("GET", "journal"),
  };
  for (const [where, what] of Object.entries(told))
    expect({ where, leaks: JSON.stringify(what).includes(token) }).toEqual({ where, leaks: false });
  expect(told.calls.length).toBeGreaterThan(0);
});

const failed = (calls: readonly Called[]) => calls.filter(({ error }) => error !== undefined);

test("a change of phase arrives once, with words and links, though S3 delivers it twice", async () => {
  await world.aws.control("POST", "notifications", { copies: 2 });
  await world.phases.open("dev-20261121-1", "octo<cat>");
  await waitFor("both calls", async () => (await world.calls()).length === 2, 30_000);
  expect(world.told).toEqual(["dev: failback opened (normal → capturing)"]);
  const text = JSON.stringify(world.slack.messages);
  expect(text).toContain("by octo&lt;cat&gt;");
  expect(text).toContain(
    "<https://github.com/acme/data/actions/workflows/failback-restore.yml|failback-restore>",
  );
  expect(failed(await world.calls())).toEqual([]);
  await world.aws.control("POST", "notifications", { copies: 1 });
}, 60_000);

test("three changes at once arrive in their order", async () => {
  for (const phase of ["draining", "restoring", "verified"] as const)
    await world.phases.move("dev-20261121-1", phase, "octocat");
  await waitFor("the three", () => world.told.length >= 4, 30_000);
  await waitFor("the calls", async () => (await world.calls()).length === 5, 30_000);
  expect(world.told.slice(1)).toEqual([
    "dev: nobody may write from now on (capturing → draining)",
    "dev: replaying the log (draining → restoring)",
    "dev: PROVEN (restoring → verified)",
  ]);
}, 60_000);

test("what Slack refuses once is told by Lambda's next try", async () => {
  world.slack.arm({ status: 404, body: "channel_not_found" });
  await world.phases.move("dev-20261121-1", "cleaned", "clean");
  await waitFor("the message", () => world.told.length === 5, 30_000);
  expect(world.told.at(-1)).toBe("dev: MongoDB is open again (verified → cleaned)");
  const [only, ...more] = failed(await world.calls());
  expect(only!.payload).toContain("got status 404 channel_not_found");
  expect(more).toEqual([]);
}, 60_000);

test("what Slack never takes is said on the alarms' topic, and told late with the next change", async () => {
  const before = await world.published();
  world.slack.arm({ status: 410, body: "channel_is_archived", times: 3 });
  await world.phases.move("dev-20261121-1", "normal", "octocat");
  await waitFor("the record", async () => (await world.published()).length > before.length, 30_000);
  const record = (await world.published()).at(-1)!;
  expect(record.to).toContainEqual({ protocol: "email", endpoint: "on-call@example.com" });
  expect(JSON.parse(record.message)).toMatchObject({
    requestContext: { condition: "RetriesExhausted", approximateInvokeCount: 3 },
    responsePayload: {
      errorType: "RoundtripError.configuration",
      errorMessage: expect.stringContaining("Way out: make a new webhook in Slack"),
    },
  });
  // The function hears of its own failure, too, and lets it be.
  await waitFor(
    "that call",
    async () =>
      (await world.calls()).some(
        ({ event, payload }) => event.includes("RetriesExhausted") && payload === '{"told":0}',
      ),
    30_000,
  );
  expect(world.told).toHaveLength(5);
  await world.phases.open("dev-20261121-2", "octocat");
  await waitFor("both", () => world.told.length === 7, 30_000);
  expect(world.told.slice(5)).toEqual([
    "dev: failback over (cleaned → normal)",
    "dev: failback opened (normal → capturing)",
  ]);
  expect(JSON.stringify(world.slack.messages[5])).toContain("an earlier failback, told late");
}, 60_000);

test("an alarm arrives when it rings and when it is over, each once", async () => {
  const alarm = (NewStateValue: string, StateChangeTime: string) =>
    JSON.stringify({
      AlarmName: "roundtrip-dev-backup-age",
      AlarmDescription: "No backup.",
      NewStateValue,
      StateChangeTime,
    });
  const calls = (await world.calls()).length;
  const rings = alarm("ALARM", "2026-11-21T03:04:05.678+0000");
  await Promise.all([world.publish(rings), world.publish(rings)]);
  await waitFor("the alarm", () => world.told.length === 8, 30_000);
  await world.publish(alarm("OK", "2026-11-21T04:00:00.000+0000"));
  await waitFor("its end", () => world.told.length === 9, 30_000);
  await waitFor("the calls", async () => (await world.calls()).length === calls + 3, 30_000);
  expect(world.told.slice(7)).toEqual(["dev: ALARM", "dev: OK again"]);
}, 60_000);
