import { type Action, check } from "./action.ts";

/** Stops a unit and sees that it is down; one that is down already stays so. */
export const run: Action = async ({ service, parameter }) => {
  const unit = parameter("unit");
  await service.units.stop(unit);
  const state = await service.units.state(unit);
  const down = state.active === "inactive" || state.active === "failed";
  return {
    checks: [
      check(`unit ${unit}`, down, {
        expected: "stopped",
        got: `${state.active} (${state.sub})`,
        wayOut: "run the step again; systemd kills what does not stop in time",
      }),
    ],
    data: { ...state },
  };
};
