export function sum(values: readonly number[]): number {
  // Kahan's compensation: adding 0.1 ten times is 1.
  let total = 0;
  let lost = 0;
  for (const value of values) {
    const corrected = value - lost;
    const next = total + corrected;
    lost = next - total - corrected;
    total = next;
  }
  return total;
}

export function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : sum(values) / values.length;
}

export function quantile(values: readonly number[], share: number): number | undefined {
  if (values.length === 0) return undefined;
  if (share < 0 || share > 1) throw new RangeError(`A share is between 0 and 1, not ${share}`);
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] as number;
  const above = sorted[Math.ceil(position)] as number;
  return below + (above - below) * (position - Math.floor(position));
}

export function median(values: readonly number[]): number | undefined {
  return quantile(values, 0.5);
}
