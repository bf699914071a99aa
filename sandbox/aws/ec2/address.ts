import { createHash } from "node:crypto";

/** The private address of an instance: always the same for one, another for each. Nothing answers there. */
export function addressOf(instanceId: string): string {
  const [one, two, three] = createHash("sha256").update(instanceId).digest();
  return `10.${one}.${two}.${three}`;
}
