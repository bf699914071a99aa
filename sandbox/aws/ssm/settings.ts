/** Knobs of Run Command, set through `/_sandbox/ssm`; the defaults are the worst reading of the documentation. */
export const ssmDefaults = {
  /** GetCommandInvocation answers InvocationDoesNotExist for this long after SendCommand … */
  invisibleMs: 500 as number,
  /** … and for this many calls at least. */
  invisibleCalls: 2 as number,
  /** A command waits this long before the agent has it. */
  deliveryMs: 300 as number,
  /** DescribeInstanceInformation goes on saying Online for this long after the last ping. */
  connectionLostMs: 5000 as number,
  /** `reference`: agent 3.3.2746.0 or later; `text`: an older one, which pastes ENV_VAR values into the script. */
  agentGeneration: "reference" as string,
  /** AWS-RunShellScript would run any text as root; the product's policies deny it. */
  allowRunShellScript: false as boolean,
};

export type SsmSettings = Readonly<typeof ssmDefaults>;
