import { randomBytes } from "node:crypto";
import { AwsError, type QueryService, type Service, type ServiceContext } from "../service.ts";
import { describeInstanceAttribute, modifyInstanceAttribute } from "./attributes.ts";
import { describeInstance, describeInstanceStatus, describeInstances, stateOf, tagSet } from "./describe.ts";
import {
  type Instance,
  type InstanceState,
  InstanceStore,
  newInstance,
  stateCodes,
} from "./instance-store.ts";
import {
  describeSecurityGroupRules,
  describeSecurityGroups,
  describeVolumes,
  describeVpcEndpoints,
  revokeSecurityGroupEgress,
} from "./network.ts";
import { ec2Defaults, Power } from "./power.ts";
import { flag, type Input, listOf, required, tagsOf } from "./query-input.ts";
import { Settings } from "./settings.ts";

interface Ec2 {
  readonly context: ServiceContext;
  readonly store: InstanceStore;
  readonly power: Power;
  readonly settings: Settings<typeof ec2Defaults>;
}

type Act = (ec2: Ec2, input: Input) => object;

function changes(before: readonly Instance[], after: readonly Instance[]): object {
  return {
    instancesSet: after.map((instance, index) => ({
      instanceId: instance.id,
      currentState: stateOf(instance),
      previousState: stateOf(before[index]!),
    })),
  };
}

/** All or nothing, as EC2 does: every instance is checked before the first is touched. */
function named(ec2: Ec2, input: Input, refuse: (instance: Instance) => void): Instance[] {
  const ids = listOf(input, "InstanceId");
  if (ids.length === 0)
    throw new AwsError("MissingParameter", "The request must contain the parameter InstanceId");
  const instances = ids.map((id) => ec2.store.get(id));
  for (const instance of instances) refuse(instance);
  return instances;
}

function refuseState(instance: Instance, states: readonly InstanceState[], action: string): void {
  if (!states.includes(instance.state)) return;
  throw new AwsError(
    "IncorrectInstanceState",
    `The instance '${instance.id}' is not in a state from which it can be ${action}.`,
  );
}

const startInstances: Act = (ec2, input) => {
  const before = named(ec2, input, (each) =>
    refuseState(each, ["stopping", "shutting-down", "terminated"], "started"),
  );
  return changes(
    before,
    before.map((each) => (each.state === "stopped" ? ec2.power.start(each.id) : each)),
  );
};

const stopInstances: Act = (ec2, input) => {
  const before = named(ec2, input, (each) => {
    refuseState(each, ["pending", "shutting-down", "terminated"], "stopped");
    if (each.stopProtected && each.state === "running") {
      throw new AwsError(
        "OperationNotPermitted",
        `The instance '${each.id}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.`,
      );
    }
  });
  return changes(
    before,
    before.map((each) =>
      each.state === "running" ? ec2.power.stop(each.id, "stopping", flag(input.Force)) : each,
    ),
  );
};

const terminateInstances: Act = (ec2, input) => {
  const before = named(ec2, input, (each) => {
    if (!each.terminationProtected) return;
    throw new AwsError(
      "OperationNotPermitted",
      `The instance '${each.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
    );
  });
  return changes(
    before,
    before.map((each) =>
      each.state === "terminated" ? each : ec2.power.stop(each.id, "shutting-down", true),
    ),
  );
};

const runInstances: Act = (ec2, input) => {
  required(input, "ImageId");
  const count = Number(required(input, "MaxCount"));
  const isInstances = input["TagSpecification.1.ResourceType"] === "instance";
  const tags = isInstances ? tagsOf(input, "TagSpecification.1.Tag") : {};
  const made = Array.from({ length: count }, () => {
    const id = `i-${randomBytes(9).toString("hex").slice(0, 17)}`;
    const now = ec2.context.now().getTime();
    ec2.store.save({
      ...newInstance(id, "stopped", tags, now),
      imageId: input.ImageId!,
      instanceType: input.InstanceType ?? "t3.medium",
      subnetId: input.SubnetId ?? "subnet-0123456789abcdef0",
      userData: input.UserData ?? "",
      stopProtected: flag(input.DisableApiStop),
      terminationProtected: flag(input.DisableApiTermination),
      rootVolume: {
        type: input["BlockDeviceMapping.1.Ebs.VolumeType"] ?? "gp3",
        size: Number(input["BlockDeviceMapping.1.Ebs.VolumeSize"] ?? 8),
        encrypted: flag(input["BlockDeviceMapping.1.Ebs.Encrypted"]),
        kmsKeyId: input["BlockDeviceMapping.1.Ebs.KmsKeyId"] ?? "",
      },
    });
    return ec2.power.start(id);
  });
  return {
    reservationId: `r-${randomBytes(9).toString("hex").slice(0, 17)}`,
    ownerId: ec2.context.account,
    groupSet: [],
    instancesSet: made.map((each) => describeInstance(each, ec2.context)),
  };
};

function changeTags(
  ec2: Ec2,
  input: Input,
  change: (tags: Record<string, string>, given: Record<string, string>) => Record<string, string>,
): object {
  for (const id of listOf(input, "ResourceId")) {
    const { tags } = ec2.store.get(id);
    ec2.store.update(id, { tags: change({ ...tags }, tagsOf(input, "Tag")) }, ec2.context.now().getTime());
  }
  return { return: true };
}

const operations: Readonly<Record<string, Act>> = {
  DescribeInstances: ({ store, context }, input) => describeInstances(store, input, context),
  DescribeVolumes: ({ store }, input) => describeVolumes(store, input),
  DescribeInstanceStatus: ({ store, context }, input) => describeInstanceStatus(store, input, context),
  DescribeInstanceAttribute: ({ store }, input) => describeInstanceAttribute(store, input),
  ModifyInstanceAttribute: ({ store, context }, input) =>
    modifyInstanceAttribute(store, input, context.now().getTime()),
  StartInstances: startInstances,
  StopInstances: stopInstances,
  TerminateInstances: terminateInstances,
  RunInstances: runInstances,
  CreateTags: (ec2, input) => changeTags(ec2, input, (tags, given) => ({ ...tags, ...given })),
  DeleteTags: (ec2, input) =>
    changeTags(ec2, input, (tags, given) =>
      Object.fromEntries(Object.entries(tags).filter(([key]) => !(key in given))),
    ),
  DescribeSecurityGroups: ({ store }, input) => describeSecurityGroups(store.db, input),
  DescribeSecurityGroupRules: ({ store }, input) => describeSecurityGroupRules(store.db, input),
  RevokeSecurityGroupEgress: ({ store }, input) => revokeSecurityGroupEgress(store.db, input),
  DescribeVpcEndpoints: ({ store }, input) => describeVpcEndpoints(store.db, input),
  DescribeTags: ({ store }) => ({
    tagSet: store
      .all()
      .flatMap(({ id, tags }) =>
        tagSet(tags).map((tag) => ({ resourceId: id, resourceType: "instance", ...tag })),
      ),
  }),
};

/** `/_sandbox/instances`: defines a machine (POST), lists them (GET); `/<id>/host` is where its host stand-in reports. */
async function instances(ec2: Ec2, request: Request, rest: string): Promise<unknown> {
  if (request.method === "GET") return rest === "" ? ec2.store.all() : ec2.store.get(rest);
  const body = (await request.json()) as {
    instanceId?: string;
    tags?: Record<string, string>;
    state?: InstanceState;
    control?: string;
    running?: boolean;
  };
  const now = ec2.context.now().getTime();
  const [id = "", action] = rest.split("/");
  if (action === "host") return hostReport(ec2, id, body.control ?? "", body.running === true, now);
  const { instanceId = "", tags = {}, state = "stopped" } = body;
  if (!(state in stateCodes))
    throw new AwsError(
      "ValidationException",
      `state: expected one of ${Object.keys(stateCodes).join(", ")}, got ${state}`,
    );
  const existing = ec2.store.find(instanceId);
  ec2.store.save({
    ...newInstance(instanceId, state, tags, now),
    ...(existing ? { control: existing.control } : {}),
  });
  return ec2.store.get(instanceId);
}

/** The machine reports where it listens and, once its agent is up, that the agent is (the ping SSM shows). */
function hostReport(ec2: Ec2, id: string, control: string, isUp: boolean, now: number): { running: boolean } {
  const known = ec2.store.find(id) ?? ec2.store.save(newInstance(id, "stopped", {}, now));
  const isRunning = known.state === "running";
  const hasAgent = isRunning && isUp && now - known.stateSince >= ec2.settings.get().agentDelayMs;
  ec2.store.update(id, { control, ...(hasAgent ? { pingedAt: now } : {}) }, now);
  return { running: isRunning };
}

/** EC2 as far as a runbook needs it: instances with their states, tags, protection, and the machine behind them. */
export function create(): Service[] {
  let ec2: Ec2 | undefined;
  const use = (): Ec2 => {
    if (!ec2) throw new AwsError("InternalError", "the EC2 stand-in isn't started yet", 500);
    return ec2;
  };
  const service: QueryService = {
    kind: "query",
    name: "ec2",
    namespace: "http://ec2.amazonaws.com/doc/2016-11-15/",
    style: "ec2",
    operations: Object.fromEntries(
      Object.entries(operations).map(([name, act]) => [name, (input: Input) => act(use(), input)]),
    ),
    control: {
      instances: (request, rest) => instances(use(), request, rest),
      ec2: (request) => use().settings.handle(request),
    },
    start(context) {
      const store = new InstanceStore(context.db);
      const settings = new Settings(context.db, "ec2", ec2Defaults);
      ec2 = { context, store, settings, power: new Power(context, store, () => settings.get()) };
      ec2.power.resume();
    },
    stop() {
      ec2?.power.dispose();
    },
  };
  return [service];
}
