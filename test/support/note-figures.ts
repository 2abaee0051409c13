import { appendFileSync } from 'node:fs';

/** Notes what a run has measured, where `scripts/record-conformance.ts` asks for it; otherwise nothing. */
export function noteFigures(name: string, figures: Readonly<Record<string, number>>): void {
  const file = process.env['BATON_FIGURES_FILE'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ name, ...figures })}\n`);
}
