const unitsMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
type Unit = keyof typeof unitsMs;

const part = /(\d+(?:\.\d+)?)\s*(ms|d|h|m|s)\s*/gy;

/** Reads `1h 30m` as milliseconds; undefined if the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  let total = 0;
  let end = 0;
  part.lastIndex = 0;
  for (let match = part.exec(trimmed); match !== null; match = part.exec(trimmed)) {
    total += Number(match[1]) * unitsMs[match[2] as Unit];
    end = part.lastIndex;
  }
  return end === trimmed.length ? total : undefined;
}

export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  const words: string[] = [];
  let rest = Math.round(ms);
  for (const [unit, size] of Object.entries(unitsMs)) {
    const count = Math.floor(rest / size);
    if (count > 0) words.push(`${count}${unit}`);
    rest -= count * size;
  }
  return words.length === 0 ? '0ms' : words.join(' ');
}
