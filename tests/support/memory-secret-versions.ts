import type { SecretLabel, SecretVersion, SecretVersions } from "../../core/credentials/ports.ts";
import type { SecretFields } from "../../core/credentials/secret-fields.ts";

interface Kept {
  readonly id: string;
  readonly fields: SecretFields;
  readonly labels: Set<string>;
}

/** Versions of secrets in memory, with Secrets Manager's rules for labels. */
export class MemorySecretVersions implements SecretVersions {
  private readonly secrets = new Map<string, Kept[]>();

  constructor(current: Readonly<Record<string, SecretFields>> = {}) {
    for (const [name, fields] of Object.entries(current))
      this.secrets.set(name, [{ id: `${name}-1`, fields, labels: new Set(["AWSCURRENT"]) }]);
  }

  async list(secret: string): Promise<SecretVersion[]> {
    return this.of(secret)
      .filter(({ labels }) => labels.size > 0)
      .map(({ id, labels }) => ({ id, labels: [...labels] }));
  }

  async read(
    secret: string,
    version: { id: string } | { label: SecretLabel },
  ): Promise<SecretFields | undefined> {
    const matches = (kept: Kept) =>
      "id" in version ? kept.id === version.id : kept.labels.has(version.label);
    return this.of(secret).find(matches)?.fields;
  }

  async putPending(secret: string, id: string, fields: SecretFields): Promise<void> {
    const versions = this.of(secret);
    if (versions.some((kept) => kept.id === id)) return;
    for (const { labels } of versions) labels.delete("AWSPENDING");
    versions.push({ id, fields, labels: new Set(["AWSPENDING"]) });
  }

  async promote(secret: string, from: string, to: string): Promise<void> {
    for (const { id, labels } of this.of(secret)) {
      labels.delete("AWSPREVIOUS");
      if (id === from && labels.delete("AWSCURRENT")) labels.add("AWSPREVIOUS");
      if (id === to) labels.add("AWSCURRENT");
    }
  }

  async removeLabel(secret: string, id: string, label: SecretLabel): Promise<void> {
    this.of(secret)
      .find((kept) => kept.id === id)
      ?.labels.delete(label);
  }

  private of(secret: string): Kept[] {
    const versions = this.secrets.get(secret);
    if (!versions) throw new Error(`no secret ${secret}`);
    return versions;
  }
}
