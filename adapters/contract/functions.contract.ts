import { expect } from "bun:test";
import { randomBytes } from "node:crypto";
import { CreateFunctionCommand, GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { strToU8, zipSync } from "fflate";
import { RoundtripError } from "../../core/errors.ts";
import { AwsFunctions } from "../aws/functions.ts";
import type { ContractSubject } from "./endpoint.ts";
import { contractSuite } from "./suite.ts";

/** A function of this source; `settled` waits until it takes calls. */
async function makeFunction(source: string, settled = true): Promise<string> {
  const lambda = new LambdaClient({});
  const FunctionName = `function-${randomBytes(5).toString("hex")}`;
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Role: "arn:aws:iam::000000000000:role/lambda",
      Timeout: 10,
      Code: { ZipFile: zipSync({ "index.mjs": strToU8(source) }) },
    }),
  );
  const active = async () =>
    (await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))).State === "Active";
  for (let tries = 0; settled && tries < 500 && !(await active()); tries++) await Bun.sleep(20);
  return FunctionName;
}

async function failureOf(call: Promise<unknown>): Promise<RoundtripError> {
  const error = await call.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RoundtripError);
  return error as RoundtripError;
}

/** What the product relies on of Lambda, seen through its adapter. */
export function functionsContract(subject: ContractSubject): void {
  contractSuite("functions", subject, (scenario) => {
    scenario("a function is called with a payload, and its answer comes back", async () => {
      const name = await makeFunction(
        "export const handler = async (event) => ({ got: event, and: [1, null] });",
      );
      expect(await new AwsFunctions().invoke(name, { version: 1, text: "ä\n" })).toEqual({
        got: { version: 1, text: "ä\n" },
        and: [1, null],
      });
    });

    scenario("a function that was just made is waited for", async () => {
      const name = await makeFunction("export const handler = async () => 'here';", false);
      expect(await new AwsFunctions().invoke(name, {})).toBe("here");
    });

    scenario("an error of the function is told in its words, without the payload", async () => {
      const name = await makeFunction(
        "export const handler = async () => { throw new TypeError('no such cluster'); };",
      );
      const failure = await failureOf(new AwsFunctions().invoke(name, { password: "planted-4711" }));
      expect(failure.kind).toBe("unavailable");
      expect(failure.message).toBe(
        `invoke the function ${name}: expected the function to succeed, got unhandled error TypeError: no such cluster. Way out: mend what it names (its log says more), then run this again`,
      );
    });

    scenario("an error of Roundtrip's own functions keeps its kind", async () => {
      const name = await makeFunction(
        "export const handler = async () => { const error = new Error('both are there'); error.name = 'RoundtripError.refused'; throw error; };",
      );
      const failure = await failureOf(new AwsFunctions().invoke(name, {}));
      expect([failure.kind, failure.got]).toEqual([
        "refused",
        "unhandled error RoundtripError.refused: both are there",
      ]);
    });

    scenario("a function that isn't there is a matter of configuration", async () => {
      const failure = await failureOf(new AwsFunctions().invoke("nowhere", {}));
      expect(failure.kind).toBe("configuration");
      expect(failure.message).toContain("invoke the function nowhere");
    });
  });
}
