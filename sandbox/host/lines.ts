const lineCharactersMax = 48 * 1024;

/** Hands on each line of a stream, also the last one without a line end; longer lines are cut as journald cuts them. */
export async function readLines(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop()!;
    for (const part of parts) onLine(part);
    while (rest.length > lineCharactersMax) {
      onLine(rest.slice(0, lineCharactersMax));
      rest = rest.slice(lineCharactersMax);
    }
  }
  if (rest !== "") onLine(rest);
}
