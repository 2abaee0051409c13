import { dirname, resolve } from 'node:path';
import { softwareDelivery } from '@baton/protocol';
import { checkAgents, type Offer } from './check-agents.ts';
import { checkPhases } from './check-phases.ts';
import { checkPlaces, type Places } from './check-places.ts';
import { checkTasks } from './check-tasks.ts';
import type { DescribeModules, ModuleAnswer } from './describe-modules.ts';
import type { Offered } from './read-offered.ts';
import type { YamlDocument, YamlProblem } from '../yaml/yaml-document.ts';
import { kindsOf, outlinePlan, type PlanOutline } from './plan-outline.ts';
import { type Plan, planSchema, toPlanJsonSchema } from '../plan-schema.ts';
import { collectProblems } from '../yaml/problems.ts';
import { findShapeProblems, type Shape } from '../yaml/shape-problems.ts';

/** What a plan is checked against beside itself. */
export interface PlanSurroundings {
  /** Asks the modules of the agents what they offer. */
  readonly describeModules: DescribeModules;
  /** What the enabled plugins offer; undefined where that is not known. */
  readonly offered: Offered | undefined;
  /** Where its folders and programs are looked for. */
  readonly places: Places;
  /** Agents that are at work already, where the plan joins a coordinator. */
  readonly others: readonly Offer[];
}

export type CheckedPlan =
  | { readonly plan: Plan; readonly problems: readonly [] }
  | { readonly plan: undefined; readonly problems: readonly YamlProblem[] };

/** Finds every mistake of a plan, in the order of the file. Nothing is started but a process that loads the agents' modules. */
export async function checkPlan(document: YamlDocument, surroundings: PlanSurroundings): Promise<CheckedPlan> {
  if (document.syntaxProblems.length > 0) return { plan: undefined, problems: document.syntaxProblems };
  const kind = kindOfOther(document.value);
  if (kind !== undefined) {
    const message = `a plan is a mapping with name, ticket, agents and phases; this is ${kind}`;
    return { plan: undefined, problems: [{ ...document.locate([]), path: '', message }] };
  }
  const outline = outlinePlan(document);
  const problems = collectProblems(document);
  if (isBuiltInName(document.value))
    problems.add(['name'], `${softwareDelivery.name} is the name of the built-in workflow; give the plan its own`);
  await checkPhases(outline, surroundings.offered, problems);
  checkTasks(outline, problems);
  checkPlaces(document, outline, surroundings.places, problems);
  const answers = await describeAgents(document, outline, surroundings.describeModules);
  checkAgents(outline, answers, surroundings.others, problems);

  const all = [...findShapeProblems(document, planShape()), ...problems.list].sort((a, b) => a.line - b.line || a.column - b.column);
  return all.length === 0 ? { plan: planSchema.parse(document.value), problems: [] } : { plan: undefined, problems: all };
}

/** What a document is that cannot be a plan; nothing of it needs to be judged in detail. */
function kindOfOther(value: unknown): string | undefined {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? undefined : `a single ${typeof value}`;
}

const isBuiltInName = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'name' in value && value.name === softwareDelivery.name;

const planShape = (): Shape => ({
  schema: planSchema,
  jsonSchema: toPlanJsonSchema(),
  hint(path, value) {
    if (path.at(-2) === 'locks') return 'a lock is written as `{ key: file:src/a.ts }`';
    const kinds = path[0] === 'agents' && path.length === 2 ? kindsOf(value) : [];
    return kinds.length > 1 ? `says ${kinds.join(' and ')}, and an agent is only one of module, process and command` : undefined;
  },
});

/** Modules are named relative to the plan. */
export const resolveModule = (planFile: string, module: string): string => resolve(dirname(planFile), module);

async function describeAgents(
  document: YamlDocument,
  { agents }: PlanOutline,
  describe: DescribeModules,
): Promise<Map<string, ModuleAnswer>> {
  const files = new Map(
    [...agents].flatMap(([name, agent]) => ('module' in agent ? [[name, resolveModule(document.file, agent.module)] as const] : [])),
  );
  if (files.size === 0) return new Map();
  const answers = await describe([...files.values()]);
  return new Map([...files].map(([name, file]) => [name, answers.get(file) ?? { error: 'the module was not loaded' }]));
}
