import { InstanceStore } from "../ec2/instance-store.ts";
import { Settings } from "../ec2/settings.ts";
import { AwsError, type JsonService, type RequestContext, type Service } from "../service.ts";
import { CommandStore } from "./command-store.ts";
import { commandOperations } from "./commands.ts";
import { Delivery } from "./delivery.ts";
import { DocumentStore } from "./document-store.ts";
import { documentOperations } from "./documents.ts";
import type { Input } from "./input.ts";
import { describeInstanceInformation } from "./managed-instances.ts";
import type { RunCommand } from "./run-command.ts";
import { ssmDefaults } from "./settings.ts";

interface Ssm extends RunCommand {
  readonly knobs: Settings<typeof ssmDefaults>;
}

/** Systems Manager as far as the runbooks need it: documents, Run Command, and which machines answer. */
export function create(): Service[] {
  let ssm: Ssm | undefined;
  const use = (): Ssm => {
    if (!ssm) throw new AwsError("InternalServerError", "the SSM stand-in isn't started yet", 500);
    return ssm;
  };
  const bind = <Target>(
    operations: Readonly<
      Record<string, (target: Target, input: Input, context: RequestContext) => Promise<object> | object>
    >,
    target: () => Target,
  ) =>
    Object.entries(operations).map(
      ([name, act]) =>
        [name, (input: Input, context: RequestContext) => act(target(), input, context)] as const,
    );
  const service: JsonService = {
    kind: "json",
    name: "ssm",
    targetPrefix: "AmazonSSM",
    operations: Object.fromEntries([
      ...bind(documentOperations, () => use().documents),
      ...bind(commandOperations, use),
      [
        "DescribeInstanceInformation",
        (input: Input, context: RequestContext) =>
          describeInstanceInformation(use().instances, use().settings(), input, context),
      ],
    ]),
    control: { ssm: (request) => use().knobs.handle(request) },
    start(context) {
      const knobs = new Settings(context.db, "ssm", ssmDefaults);
      const commands = new CommandStore(context.db);
      const instances = new InstanceStore(context.db);
      const delivery = new Delivery(context, commands, instances, () => knobs.get());
      ssm = {
        knobs,
        commands,
        instances,
        delivery,
        documents: new DocumentStore(context.db),
        settings: () => knobs.get(),
      };
      delivery.wake();
    },
    stop() {
      ssm?.delivery.dispose();
    },
  };
  return [service];
}
