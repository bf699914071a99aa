import { describe, expect, test } from "bun:test";
import { InstantClock } from "../../tests/support/instant-clock.ts";
import { MemoryObjectStore } from "../memory/object-store.ts";
import { ToldNotices } from "./told-notices.ts";

const key = "notices/phase/one.json";
const runMs = 60_000;

class World {
  readonly store = new MemoryObjectStore();
  readonly clock = new InstantClock();
  readonly told: string[] = [];

  run(name: string, leftMs = runMs): ToldNotices {
    const end = this.clock.monotonicMs() + leftMs;
    return new ToldNotices(this.store, this.clock, name, () => end - this.clock.monotonicMs());
  }

  tell(name: string, ms = 0): () => Promise<void> {
    return async () => {
      await this.clock.sleep(ms);
      this.told.push(name);
    };
  }
}

describe("a notice", () => {
  test("is told once, whoever comes later", async () => {
    const world = new World();
    expect(await world.run("a").once(key, world.tell("a"))).toBe(true);
    expect(await world.run("b").once(key, world.tell("b"))).toBe(false);
    expect(world.told).toEqual(["a"]);
    expect(await world.run("b").isTold(key)).toBe(true);
  });

  test("is told once by ten runs at the same time", async () => {
    const world = new World();
    const names = Array.from({ length: 10 }, (_, index) => `run ${index}`);
    const outcomes = await Promise.all(
      names.map((name) => world.run(name).once(key, world.tell(name, 2_000))),
    );
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    expect(world.told).toHaveLength(1);
  });

  test("that could not be told is not recorded, and the next run needn't wait", async () => {
    const world = new World();
    const failing = world.run("a").once(key, () => Promise.reject(new Error("Slack is down")));
    await expect(failing).rejects.toThrow("Slack is down");
    expect(await world.run("b").isTold(key)).toBe(false);
    const from = world.clock.monotonicMs();
    expect(await world.run("b").once(key, world.tell("b"))).toBe(true);
    expect(world.clock.monotonicMs()).toBe(from);
  });

  test("whose run died is told by another one after that one's time, not before", async () => {
    const world = new World();
    void world.run("dead").once(key, () => new Promise(() => undefined));
    await world.clock.sleep(1);
    const from = world.clock.monotonicMs();
    const failure = await world
      .run("too early", 10_000)
      .once(key, world.tell("too early"))
      .catch((error: Error) => error);
    expect(failure).toMatchObject({ kind: "unavailable", got: "no end of it in this run's time" });
    expect(await world.run("next").once(key, world.tell("next"))).toBe(true);
    expect(world.clock.monotonicMs() - from).toBeGreaterThanOrEqual(runMs);
    expect(world.told).toEqual(["next"]);
  });

  test("is told twice, and recorded, when the first run took longer than it had", async () => {
    const world = new World();
    const slow = world.run("slow", 1_000).once(key, world.tell("slow", 30_000));
    expect(await world.run("other").once(key, world.tell("other"))).toBe(true);
    expect(await slow).toBe(true);
    expect(world.told.sort()).toEqual(["other", "slow"]);
  });
});
