import { expect } from "bun:test";
import { errorOf, type Scenario } from "../suite.ts";
import type { Bench } from "./bench.ts";

export function conditions(scenario: Scenario, bench: Bench): void {
  scenario("conditional reads: 304 and 412", async () => {
    const Bucket = await bench.bucket();
    const { ETag } = await bench.put(Bucket, "a", "x");
    expect(await bench.text(Bucket, "a", { IfMatch: ETag })).toBe("x");
    expect(await errorOf(bench.text(Bucket, "a", { IfMatch: '"other"' }))).toBe("PreconditionFailed 412");
    expect(await errorOf(bench.text(Bucket, "a", { IfNoneMatch: ETag }))).toEndWith(" 304");
    expect(await bench.text(Bucket, "a", { IfNoneMatch: '"other"' })).toBe("x");
    expect(
      await errorOf(bench.text(Bucket, "a", { IfModifiedSince: new Date(Date.now() + 1000) })),
    ).toEndWith(" 304");
    const unmodified = { IfUnmodifiedSince: new Date("2001-01-01") };
    expect(await errorOf(bench.text(Bucket, "a", unmodified))).toBe("PreconditionFailed 412");
  });

  scenario("conditional writes: If-None-Match * and If-Match", async () => {
    const Bucket = await bench.bucket();
    const { ETag } = await bench.put(Bucket, "a", "one", { IfNoneMatch: "*" });
    expect(await errorOf(bench.put(Bucket, "a", "two", { IfNoneMatch: "*" }))).toBe("PreconditionFailed 412");
    await bench.put(Bucket, "a", "two", { IfMatch: ETag });
    expect(await errorOf(bench.put(Bucket, "a", "three", { IfMatch: ETag }))).toBe("PreconditionFailed 412");
    expect(await errorOf(bench.put(Bucket, "none", "x", { IfMatch: ETag }))).toBe("NoSuchKey 404");
    expect(await bench.text(Bucket, "a")).toBe("two");
  });
}
