import { printLine, type Shell } from '../shell.ts';
import type { Plan } from '../plan-schema.ts';
import type { Offer } from './check-agents.ts';
import { kindOfPlace } from './check-places.ts';
import { describeModules } from './describe-modules.ts';
import { checkPlan } from './plan-check.ts';
import { printProblems } from '../yaml/print-problems.ts';
import { readText } from '../yaml/read-text.ts';
import { readYamlDocument } from '../yaml/yaml-document.ts';
import { readOffered } from './read-offered.ts';

export interface LoadedPlan {
  readonly plan: Plan;
  /** As it stands in the file. */
  readonly text: string;
}

export interface LoadOptions {
  readonly json?: boolean;
  /** The enabled plugins; undefined where another coordinator has its own. */
  readonly plugins: readonly string[] | undefined;
  /** Agents that are at work already. */
  readonly others?: readonly Offer[];
  /** The plan works on another folder than its own. */
  readonly hasProject?: boolean;
}

/** Reads and checks a plan. Its mistakes are printed, and undefined is returned. */
export async function loadPlan(
  shell: Shell,
  file: string,
  { json = false, plugins, others = [], hasProject = false }: LoadOptions,
): Promise<LoadedPlan | undefined> {
  const text = await readText(file, { what: 'a plan', usualName: 'plan.yaml' });
  const { plan, problems } = await checkPlan(readYamlDocument(text, file), {
    describeModules: (files) => describeModules(shell.self, files),
    offered: plugins === undefined ? undefined : await readOffered(plugins),
    places: { kindOf: kindOfPlace, searchPath: shell.env['PATH'] ?? '', hasProject },
    others,
  });
  if (plan !== undefined) return { plan, text };

  if (json) printLine(shell.stdout, JSON.stringify({ file, problems }));
  else printProblems(shell, { file, problems, consequence: 'Nothing was started.' });
  return undefined;
}
