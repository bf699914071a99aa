const questionsAtOnce = 8;

/** Asks about each item, a few at a time, and keeps the order. Ends with the signal's reason when it fires. */
export async function askAll<Item, Answer>(
  items: readonly Item[],
  signal: AbortSignal,
  ask: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  const askNext = async (): Promise<void> => {
    while (next < items.length) {
      signal.throwIfAborted();
      const index = next++;
      answers[index] = await ask(items[index]!);
    }
  };
  await Promise.all(Array.from({ length: questionsAtOnce }, askNext));
  return answers;
}
