/** Yields what the source yields, with up to `ahead` items made while the consumer works on another. */
export async function* prefetched<T>(source: AsyncIterable<T>, ahead: number): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const pending: Promise<IteratorResult<T>>[] = [];
  try {
    while (true) {
      while (pending.length <= ahead) {
        const next = iterator.next();
        // Reported when its turn comes, not as a stray rejection before.
        next.catch(() => {});
        pending.push(next);
      }
      const result = await pending.shift()!;
      if (result.done) return;
      yield result.value;
    }
  } finally {
    await Promise.allSettled(pending);
    await iterator.return?.();
  }
}
