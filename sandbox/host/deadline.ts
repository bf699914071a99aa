/** setTimeout takes at most this; longer waits (also `infinity`) never come within the life of a test machine. */
const timerMsMax = 2_147_483_647;

/** A timer as a promise that can be called off. */
export class Deadline implements Disposable {
  readonly reached: Promise<"timeout">;
  #timer: Timer | undefined;

  constructor(ms: number) {
    const { promise, resolve } = Promise.withResolvers<"timeout">();
    this.reached = promise;
    if (ms <= timerMsMax) this.#timer = setTimeout(() => resolve("timeout"), ms);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
