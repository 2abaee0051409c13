import { loadPlan } from './plan/load-plan.ts';
import { toPlanJsonSchema } from './plan-schema.ts';
import { readSettings } from './read-settings.ts';
import { printLine, type Shell } from './shell.ts';

export interface PlanCheckOptions {
  readonly plugin?: readonly string[];
  readonly json?: boolean;
}

/** `baton plan check`: finds every mistake in a plan, and starts nothing. */
export async function planCheck(shell: Shell, file: string, { json = false, ...options }: PlanCheckOptions): Promise<number> {
  const { plugins } = readSettings(options, shell.env);
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
