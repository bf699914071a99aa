import type { TestMachine } from "../machine.ts";

export interface Scenario {
  readonly name: string;
  readonly run: (machine: TestMachine) => Promise<void>;
}
