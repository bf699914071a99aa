import { expect, test } from "bun:test";
import { ObjectsMissing, terraformFailure } from "./failure.ts";
import { Redaction } from "./redaction.ts";

test("a sensitive value that is a word of an address is blanked out of what is told, and the address is understood", () => {
  const redaction = new Redaction();
  redaction.add("replication");
  const failure = terraformFailure(
    "plan with Terraform",
    [
      {
        severity: "error",
        summary: "Cannot import non-existent remote object",
        detail:
          'While attempting to import an existing object to "module.dms.aws_dms_replication_instance.this[0]", the provider detected that no object exists with the given id.',
      },
    ],
    { exitCode: 1, stderr: [] },
    (text) => redaction.clean(text),
  );
  expect(failure).toBeInstanceOf(ObjectsMissing);
  expect((failure as ObjectsMissing).addresses).toEqual(["module.dms.aws_dms_replication_instance.this[0]"]);
  expect(failure.message).not.toContain("replication");
});
