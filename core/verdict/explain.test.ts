import { expect, test } from "bun:test";
import { type Explanations, explainerOf } from "./explain.ts";

const id = Uint8Array.of(5, 0, 0, 0, 0);
const difference = (key: string, target: string | null) => ({ key, id, source: "theirs", target });
const tail: Explanations["tail"] = new Map([
  [
    "shop.orders",
    new Map([
      ["n1", { digest: "own" }],
      ["n2", { digest: null }],
    ]),
  ],
]);
const conflict = (
  key: string,
  kind: "tail" | "unique",
  policy: "documentdb" | "mongodb",
  settled = true,
) => ({
  kind,
  namespace: "shop.orders",
  key,
  policy,
  settled,
  margin: false,
});

test("failback 17: a difference is tail only with its entry, and while MongoDB has what the ledger says", () => {
  const explain = explainerOf({ tail, conflicts: [] }, "shop.orders");
  expect(explain(difference("n1", "own"))).toBe("tail");
  expect(explain(difference("n1", "altered"))).toBe("differs");
  expect(explain(difference("n1", null))).toBe("differs");
  expect(explain(difference("n2", null))).toBe("tail");
  expect(explain(difference("n3", "own"))).toBe("differs");
  expect(explainerOf({ tail, conflicts: [] }, "shop.items")(difference("n1", "own"))).toBe("differs");
});

test("failback 17: a document in the tail and in the log differs rightly only where MongoDB was to win", () => {
  const lost = explainerOf({ tail, conflicts: [conflict("n1", "tail", "documentdb")] }, "shop.orders");
  expect(lost(difference("n1", "own"))).toBe("differs");
  const won = explainerOf({ tail, conflicts: [conflict("n1", "tail", "mongodb")] }, "shop.orders");
  expect(won(difference("n1", "own"))).toBe("conflict");
  expect(won(difference("n1", "altered"))).toBe("differs");
});

test("failback 17: in the margin the log wins under every policy, so both sides must be equal", () => {
  const margin = { ...conflict("n1", "tail", "mongodb"), margin: true };
  expect(explainerOf({ tail, conflicts: [margin] }, "shop.orders")(difference("n1", "own"))).toBe("differs");
});

test("failback 19: a collision explains a difference only when it was settled for MongoDB", () => {
  const explain = (...from: Parameters<typeof conflict>) =>
    explainerOf({ tail, conflicts: [conflict(...from)] }, "shop.orders")(difference("n9", null));
  expect(explain("n9", "unique", "mongodb")).toBe("conflict");
  expect(explain("n9", "unique", "mongodb", false)).toBe("differs");
  expect(explain("n9", "unique", "documentdb")).toBe("differs");
});
