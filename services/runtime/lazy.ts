import type { SecretVersions } from "../../core/credentials/ports.ts";
import type { ObjectStore, PutOptions, Secrets } from "../../core/ports.ts";

/** An ObjectStore that loads its adapter, and with it the SDK, at the first request. */
export class LazyObjectStore implements ObjectStore {
  private loaded: Promise<ObjectStore> | undefined;

  constructor(private readonly load: () => Promise<ObjectStore>) {}

  private store(): Promise<ObjectStore> {
    this.loaded ??= this.load();
    return this.loaded;
  }

  async put(key: string, body: Uint8Array, options?: PutOptions) {
    return (await this.store()).put(key, body, options);
  }

  async get(key: string, options?: { range?: { start: number; end: number } }) {
    return (await this.store()).get(key, options);
  }

  async head(key: string) {
    return (await this.store()).head(key);
  }

  async *list(prefix: string, options?: { startAfter?: string }) {
    yield* (await this.store()).list(prefix, options);
  }

  async delete(keys: readonly string[]) {
    return (await this.store()).delete(keys);
  }

  async upload(key: string, body: AsyncIterable<Uint8Array>, options?: PutOptions) {
    return (await this.store()).upload(key, body, options);
  }
}

/** Secrets that load their adapter at the first request. */
export function lazySecrets(load: () => Promise<Secrets>): Secrets {
  let loaded: Promise<Secrets> | undefined;
  return {
    async get(name) {
      loaded ??= load();
      return (await loaded).get(name);
    },
  };
}

/**
 * Versions of secrets, by an adapter that is loaded at the first request. A class, as the store: which of its methods a program
 * comes to decides what its role is granted (tests/terraform/permissions.test.ts).
 */
export class LazySecretVersions implements SecretVersions {
  private loaded: Promise<SecretVersions> | undefined;

  constructor(private readonly load: () => Promise<SecretVersions>) {}

  private versions(): Promise<SecretVersions> {
    this.loaded ??= this.load();
    return this.loaded;
  }

  async list(secret: string) {
    return (await this.versions()).list(secret);
  }

  async read(secret: string, version: Parameters<SecretVersions["read"]>[1]) {
    return (await this.versions()).read(secret, version);
  }

  async putPending(...call: Parameters<SecretVersions["putPending"]>) {
    return (await this.versions()).putPending(...call);
  }

  async promote(...call: Parameters<SecretVersions["promote"]>) {
    return (await this.versions()).promote(...call);
  }

  async removeLabel(...call: Parameters<SecretVersions["removeLabel"]>) {
    return (await this.versions()).removeLabel(...call);
  }
}
