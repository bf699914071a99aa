import type { DataSource } from "../resource.ts";

/** Data sources that can be read. */
export const dataSources: Readonly<Record<string, DataSource>> = {
  aws_caller_identity: {
    async read(_config, context) {
      const { Account, Arn, UserId } = await context.aws.identity(context.region);
      return { id: Account, account_id: Account, arn: Arn, user_id: UserId };
    },
  },
};
