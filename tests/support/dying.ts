/** Objects whose methods die at a call, before or after its effect: a killed process as its own code sees it. */
class Killed extends Error {}

export interface Death {
  /** The call's number from 1 over all wrapped objects together, or its words (`putPending`, `command createUser`). */
  readonly at: number | string;
  readonly when: "before" | "after";
}

export class Mortal {
  private calls = 0;
  /** The call it died at, in words; undefined while it lives. */
  diedAt: string | undefined;

  constructor(private readonly death: Death) {}

  /** The same object, its methods counted; `only` names those that count. */
  wrap<T extends object>(target: T, only?: readonly string[]): T {
    return new Proxy(target, {
      get: (object, name) => {
        const value = Reflect.get(object, name) as unknown;
        if (typeof value !== "function") return value;
        const call = (value as (...given: unknown[]) => unknown).bind(object);
        if (typeof name === "symbol" || (only && !only.includes(name))) return call;
        return async (...given: unknown[]) => {
          const dies = this.diesAt(wordsOf(name, given));
          if (dies && this.death.when === "before") throw new Killed(this.diedAt);
          const result = await call(...given);
          if (dies) throw new Killed(this.diedAt);
          return result;
        };
      },
    });
  }

  private diesAt(words: string): boolean {
    const { at } = this.death;
    if (this.diedAt !== undefined || (++this.calls !== at && words !== at)) return false;
    this.diedAt = words;
    return true;
  }
}

function wordsOf(name: string, given: readonly unknown[]): string {
  const [command] = Object.keys((given[1] ?? {}) as object);
  return name === "command" && command ? `${name} ${command}` : name;
}
