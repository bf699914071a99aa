import { type Action, passed } from "./action.ts";

/** What systemd says of a unit. It only looks: a unit that is down is no failure of this action. */
export const run: Action = async ({ service, parameter }) => {
  const unit = parameter("unit");
  const state = await service.units.state(unit);
  return {
    checks: [passed(`unit ${unit}`, "shown", `${state.active} (${state.sub})`)],
    data: { unit, ...state },
  };
};
