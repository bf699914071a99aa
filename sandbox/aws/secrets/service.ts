import { randomUUID } from "node:crypto";
import { type Input, requiredText } from "../input.ts";
import {
  AwsError,
  type JsonService,
  type RequestContext,
  type Service,
  type ServiceContext,
} from "../service.ts";
import { list } from "./describe.ts";
import { createSecret } from "./life.ts";
import { type OnSecret, onAny, onLiving } from "./operations.ts";
import { randomPassword } from "./random-password.ts";
import { type Secret, SecretStore } from "./store.ts";

class SecretsManager implements JsonService {
  readonly kind = "json";
  readonly name = "secretsmanager";
  readonly targetPrefix = "secretsmanager";
  readonly operations: JsonService["operations"];
  private store!: SecretStore;

  constructor() {
    this.operations = {
      CreateSecret: (input, context) =>
        createSecret(this.store, { ClientRequestToken: randomUUID(), ...input }, context),
      ListSecrets: (input, context) => list(this.store, input, context),
      GetRandomPassword: (input) => randomPassword(input),
      ...this.bind(onLiving, true),
      ...this.bind(onAny, false),
    };
  }

  start({ db }: ServiceContext): void {
    this.store = new SecretStore(db);
  }

  private bind(operations: Readonly<Record<string, OnSecret>>, living: boolean): JsonService["operations"] {
    return Object.fromEntries(
      Object.entries(operations).map(([name, operation]) => [
        name,
        (input: Input, context: RequestContext) =>
          operation(this.store, this.secret(input, context, living), input, context),
      ]),
    );
  }

  private secret(input: Input, context: RequestContext, living: boolean): Secret {
    const secret = this.store.find(requiredText(input, "SecretId"), context.now().getTime());
    if (secret === undefined)
      throw new AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
    if (living && secret.deletion !== null) {
      throw new AwsError(
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
      );
    }
    return secret;
  }
}

/** Secrets Manager: versions with staging labels, deletion with a recovery window in which the name stays taken. */
export function create(): Service[] {
  return [new SecretsManager()];
}
