/** Reads `1,234.5`; undefined if the text is not a number or its separators are not where they belong. */
export function parseNumber(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(trimmed)) return undefined;
  return Number(trimmed.replaceAll(',', ''));
}

/** Writes a number with separators and at most `decimals` digits after the point. */
export function formatNumber(value: number, decimals = 2): string {
  const [whole, fraction] = Math.abs(value).toFixed(decimals).split('.') as [string, string?];
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  const kept = (fraction ?? '').replace(/0+$/, '');
  return `${value < 0 ? '-' : ''}${grouped}${kept === '' ? '' : `.${kept}`}`;
}
