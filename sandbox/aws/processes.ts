import { AwsError } from "./service.ts";

/** The processes and hosts a `kill` fault can reach, by the name of their unit. */
export class Processes {
  private readonly pids = new Map<string, number>();
  private readonly hosts = new Map<string, string>();

  /** With `isGroup` a kill ends the process group that `pid` leads: a program together with what it started. */
  registerProcess(name: string, pid: number, isGroup = false): void {
    this.pids.set(name, isGroup ? -pid : pid);
  }

  removeProcess(name: string): boolean {
    return this.pids.delete(name);
  }

  registerHost(instanceId: string, control: string): void {
    this.hosts.set(instanceId, control.replace(/\/$/, ""));
  }

  removeHost(instanceId: string): boolean {
    return this.hosts.delete(instanceId);
  }

  list(): { processes: Record<string, number>; hosts: Record<string, string> } {
    return { processes: Object.fromEntries(this.pids), hosts: Object.fromEntries(this.hosts) };
  }

  /**
   * SIGKILL to the process registered under `name`, else asks every registered host to kill that unit.
   * Throws when nobody knows the name: a kill that hits nothing must not pass for one that did.
   */
  async kill(name: string): Promise<void> {
    const pid = this.pids.get(name);
    if (pid !== undefined) {
      this.pids.delete(name);
      try {
        process.kill(pid, "SIGKILL");
      } catch (cause) {
        throw new AwsError("InternalError", `couldn't kill ${name}: ${String(cause)}`, 500);
      }
      return;
    }
    const failures: string[] = [];
    for (const [instanceId, control] of this.hosts) {
      const answer = await fetch(`${control}/kill`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ unit: name }),
        signal: AbortSignal.timeout(5000),
      }).catch((cause: unknown) => new Response(String(cause), { status: 599 }));
      if (answer.ok) return;
      failures.push(`${instanceId} answered ${answer.status}: ${(await answer.text()).slice(0, 200)}`);
    }
    throw new AwsError(
      "InternalError",
      `couldn't kill ${name}: no process registered under that name; hosts: ${failures.join("; ") || "none"}`,
      500,
    );
  }
}
