/** Secrets that hides what it gave from any text: the last guard behind messages that name secrets and never quote them. */
import type { Secrets } from "../../core/ports.ts";

const hiddenFields = ["password", "uri", "url"];

export interface RedactingSecrets extends Secrets {
  /** The text with every value that must not be told replaced. */
  redact(text: string): string;
}

export function redactingSecrets(secrets: Secrets): RedactingSecrets {
  const values = new Set<string>();
  return {
    async get(name) {
      const secret = await secrets.get(name);
      for (const field of hiddenFields) if (secret[field]) values.add(secret[field]);
      return secret;
    },
    redact(text) {
      return [...values].reduce(
        (safe, value) => formsOf(value).reduce((done, each) => done.replaceAll(each, "[hidden]"), safe),
        text,
      );
    },
  };
}

/** As it is, as a URI has it, and as it stands in JSON; of an address, the part that is the secret of a webhook, too. */
function formsOf(value: string): string[] {
  const { pathname = "" } = URL.parse(value) ?? {};
  const path = pathname.length > 1 ? [pathname] : [];
  return [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1), ...path];
}
