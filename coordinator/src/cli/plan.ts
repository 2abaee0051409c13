import { readConfig } from '../config.ts';
import { loadPlan } from './plan/load-plan.ts';
import { toPlanJsonSchema } from './plan-schema.ts';
import { printLine, type Shell } from './shell.ts';

export interface PlanCheckOptions {
  readonly json?: boolean;
}

/** `baton plan check`: finds every mistake in a plan, and starts nothing. */
export async function planCheck(shell: Shell, file: string, { json = false }: PlanCheckOptions): Promise<number> {
  const { plugins } = readConfig({}, shell.env);
  const loaded = await loadPlan(shell, file, { json, plugins });
  if (loaded === undefined) return 2;
  printLine(shell.stdout, json ? JSON.stringify({ file, problems: [] }) : `${file} has no mistakes.`);
  return 0;
}

/** `baton plan schema`: the JSON schema of a plan, for editors. */
export function planSchemaCommand(shell: Shell): number {
  printLine(shell.stdout, JSON.stringify(toPlanJsonSchema(), undefined, 2));
  return 0;
}
