import { readJson } from "../../adapters/state/json.ts";
import { unitParameter } from "../../core/actions/parameter.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ServiceStatus } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { assertActs, Installation, type Released, versionOf } from "../installation/installation.ts";
import { alwaysOnFrom, runsFrom } from "../installation/runs-from.ts";
import { type Action, type ActionContext, type ActionOutcome, check, passed } from "./action.ts";

const capture = "replication.service";
/** Of the operations host; like capture it goes on behind its newest manifest. */
const oplogArchive = "oplog-archive.service";
const healthyMsMax = 90_000;
const lookEveryMs = 250;

/**
 * Puts another version of the worker in the place of this one: fetched and checked first, then the link, then capture is
 * started anew, which goes on from its newest manifest. Where capture does not come up, the old version is put back. Run
 * again it finishes what was begun; a unit that is at its work is waited for by the person, never cut short.
 */
export const run: Action = async (context) => {
  const released: Released = { key: context.parameter("key"), sha256: context.parameter("sha256") };
  const installation = Installation.of(process.execPath, process.env.ROUNDTRIP_CONFIG);
  const working = await unitsAtWork(context);
  if (working.length > 0) return { checks: [idle(working)], data: {} };
  const before = await installation.release();
  const after = await fetched(context, installation, released, before);
  const old = await versionBefore(installation, released, before);
  const wanted = installation.program(released.sha256);
  await assertActs(wanted, capture);
  const from = await versionOf(old);
  await installation.point(wanted);
  const trouble =
    (await captureOn(context, wanted)) ?? (await alwaysOnFrom(context.service, oplogArchive, wanted));
  if (trouble !== undefined) return await rolledBack(context, installation, { old, from, trouble, after });
  // Last: until then the next boot, and a run after one that was killed, know the version that is known to work.
  await installation.keepReleased(released);
  const got = old === wanted ? `${after}, already in place` : `${after}, before ${from}`;
  return { checks: [passed("worker", after, got)], data: { from, to: after, program: wanted } };
};

/** What to go back to: what is used now, or what was before a run that was killed in the middle. */
async function versionBefore(
  installation: Installation,
  { sha256 }: Released,
  release: ReadonlyMap<string, string>,
): Promise<string> {
  const current = await installation.current();
  const known = release.get("WORKER_SHA256") ?? "";
  const isHalfway = current === installation.program(sha256) && known !== sha256;
  return isHalfway && (await installation.isThere({ key: "", sha256: known }))
    ? installation.program(known)
    : current;
}

/** Downloaded unless it is there and whole; what it says of its version. */
async function fetched(
  { releases }: ActionContext,
  installation: Installation,
  released: Released,
  release: ReadonlyMap<string, string>,
): Promise<string> {
  if (await installation.isThere(released)) return await versionOf(installation.program(released.sha256));
  const bucket = release.get("RELEASE_BUCKET");
  const body = bucket && (await releases?.(bucket).get(released.key))?.body;
  if (body) return await installation.add(body, released);
  throw new RoundtripError({
    kind: "configuration",
    what: `fetch ${released.key}`,
    expected: `an object in the bucket of releases, ${bucket ?? "which release.env names"}`,
    got: "none",
    wayOut: "name the key as release.json has it; nothing was replaced",
  });
}

async function unitsAtWork({ service }: ActionContext): Promise<string[]> {
  const working: string[] = [];
  for (const unit of unitParameter.allowedValues ?? []) {
    if (unit === capture) continue;
    const { active } = await service.units.state(unit);
    if (active !== "inactive" && active !== "failed") working.push(unit);
  }
  return working;
}

function idle(working: readonly string[]) {
  return check("no unit is at its work", false, {
    expected: "capture alone, which goes on where it was",
    got: `${working.join(", ")} at work`,
    wayOut: "wait until it has ended (roundtrip status), then run this again; nothing was replaced",
  });
}

/**
 * Sees that capture runs from `program`, starting it anew where another version does; gives what is wrong, or nothing. In
 * normal times nothing is captured, and nothing is started.
 */
async function captureOn(context: ActionContext, program: string): Promise<string | undefined> {
  const { service } = context;
  const { units, clock, signal } = service;
  const { phase, failbackId } = await service.phaseStore.read();
  if (phase === "normal" || phase === "cleaned") return undefined;
  const status = async () =>
    (await readJson<ServiceStatus>(service.store, keysOf(failbackId).status("replication")))?.value;
  const state = await units.state(capture);
  if (state.active === "active" && (await runsFrom(state.mainPid, program))) return undefined;
  const runBefore = (await status())?.run;
  await units.stop(capture);
  await units.start(capture);
  const deadline = clock.monotonicMs() + healthyMsMax;
  for (;;) {
    const { active, sub, result, exitStatus, mainPid } = await units.state(capture);
    const said = await status();
    const isNew = said !== undefined && said.run !== runBefore && said.state === "running";
    if (active === "active" && isNew && (await runsFrom(mainPid, program))) return undefined;
    const isLost = active === "failed" || clock.monotonicMs() > deadline;
    if (isLost)
      return `${capture} is ${active} (${sub}), result ${result}, exit code ${exitStatus}; its status ${said?.state ?? "is not there"}`;
    await clock.sleep(lookEveryMs, signal);
  }
}

interface Failed {
  readonly old: string;
  readonly from: string;
  readonly trouble: string;
  readonly after: string;
}

async function rolledBack(
  context: ActionContext,
  installation: Installation,
  { old, from, trouble, after }: Failed,
): Promise<ActionOutcome> {
  await installation.point(old);
  const still = (await captureOn(context, old)) ?? (await alwaysOnFrom(context.service, oplogArchive, old));
  const isArchive = trouble.startsWith(oplogArchive);
  const [unit, what] = isArchive ? [oplogArchive, "the oplog's archive"] : [capture, "capture"];
  const logs = `roundtrip logs ${unit.replace(/\.service$/, "")}`;
  return {
    checks: [
      check(`${what} runs with the new worker`, false, {
        expected: `${unit} active, with a status of its own, from ${after}`,
        got: trouble,
        wayOut: `${from} is back in place; see ${logs}, and upgrade to a version that starts`,
      }),
      check(`${what} runs with the old worker again`, still === undefined, {
        expected: `${unit} active, from ${from}`,
        got: still ?? "it does, from its newest manifest",
        wayOut: isArchive
          ? `MongoDB's oplog is not archived: see ${logs} now, before the oplog rolls over`
          : `nothing is captured: see ${logs} now, before the change stream's retention ends`,
      }),
    ],
    data: { from, to: from, rolledBackFrom: after },
  };
}
