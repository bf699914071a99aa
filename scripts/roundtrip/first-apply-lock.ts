/** The lock of Terraform's state before an environment has its own bucket: `roundtrip unlock` can't be asked yet. */
import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { LockHolders } from "../../adapters/state/lock-holders.ts";
import { StateLocked } from "../../adapters/terraform/failure.ts";
import type { TerraformInfrastructure } from "../../adapters/terraform/infrastructure.ts";
import { livingProcesses, type StateLockInfo, thisMachine } from "../../adapters/terraform/lock-holder.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { holderOf } from "../../runbooks/unlock/state-lock.ts";

interface Locked {
  readonly terraform: TerraformInfrastructure;
  /** The bucket of the states: who starts Terraform is written down there. */
  readonly store: ObjectStore;
  readonly directory: string;
  readonly say: (line: string) => void;
}

/**
 * Does something that takes the state's lock. A lock that an earlier run left behind is freed first, once, when that run was
 * of this root module on this machine and none of its processes lives. Any other lock is refused, as another person's run.
 */
export async function withoutDeadLock<Result>(
  locked: Locked,
  action: () => Promise<Result>,
): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof StateLocked)) throw error;
    await free(error.lock, locked);
    return await action();
  }
}

async function free(lock: StateLockInfo, { terraform, store, directory, say }: Locked): Promise<void> {
  const holder = await holderOf(lock, new LockHolders(store));
  if (!holder || holder.machine === undefined || holder.machine !== thisMachine())
    throw notOurs(lock, "no run of roundtrip first-apply on this machine");
  if (holder.directory !== realpathSync(resolve(directory)))
    throw notOurs(lock, `a run in ${holder.directory}`);
  const living = livingProcesses(holder);
  if (living.length > 0) throw notOurs(lock, living.join("; "));
  await terraform.freeStateLock(lock.id);
  say(`freed lock ${lock.id}, held by ${lock.who} since ${lock.created}: no process of that run lives`);
}

function notOurs({ id, who, created }: StateLockInfo, got: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: "take the lock of Terraform's state",
    expected: `lock ${id} (${who}, ${created}) to be free, or left behind by a run here that is dead`,
    got,
    wayOut: `wait until that run has ended and run this again; when you have seen that it is dead, terraform force-unlock ${id} in the root module`,
  });
}
