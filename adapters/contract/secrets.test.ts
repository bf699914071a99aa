import { moto, standIn } from "./endpoint.ts";
import { secretsContract } from "./secrets.contract.ts";

secretsContract(standIn);
secretsContract(
  moto({
    "a pending version stays beside the current one until its label is moved":
      "moto moves the label but goes on reading the old version as current",
    "versions are listed by their labels; one whose last label is taken off is listed no more":
      "moto lists versions without labels unasked; AWS does with IncludeDeprecated",
    "a deleted secret can't be read, its name stays taken, and it can be restored":
      "moto says ResourceExistsException for a name in its recovery window; AWS says InvalidRequestException",
  }),
);
