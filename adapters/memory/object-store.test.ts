import { objectStoreContract } from "../contract/object-store.contract.ts";
import { MemoryObjectStore } from "./object-store.ts";

objectStoreContract("in memory", async () => ({
  store: new MemoryObjectStore(),
  [Symbol.asyncDispose]: async () => undefined,
}));
