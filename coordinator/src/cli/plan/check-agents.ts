import { covers, uncovered } from '../../agent/capability-rules.ts';
import { findNearest, suggest } from '../yaml/nearest.ts';
import type { ModuleAnswer } from './describe-modules.ts';
import type { OutlineTask, PlanOutline } from './plan-outline.ts';
import type { Problems } from '../yaml/problems.ts';

/** An agent and what tasks it can be given. */
export interface Offer {
  readonly name: string;
  readonly capabilities: readonly string[];
  /** The types of tasks that it defines; absent where it takes any, as a program does. */
  readonly types: readonly string[] | undefined;
}

/** Agents that do not load, tasks that nobody can do, and tasks that would be given to who cannot do them. */
export function checkAgents(
  outline: PlanOutline,
  answers: ReadonlyMap<string, ModuleAnswer>,
  others: readonly Offer[],
  problems: Problems,
): void {
  const failed = [...answers].flatMap(([name, answer]) => ('error' in answer ? [{ name, error: answer.error }] : []));
  for (const { name, error } of failed) problems.add(['agents', name, 'module'], error);

  const own = offersOf(outline, answers);
  // While an agent cannot be judged, nobody knows what it offers.
  const isComplete = failed.length === 0 && outline.hasAllAgents;
  for (const task of outline.phases.flatMap(({ tasks }) => tasks)) checkTask(task, { own, others, isComplete }, problems);
}

const offersOf = ({ agents, unsureAgents }: PlanOutline, answers: ReadonlyMap<string, ModuleAnswer>): Offer[] =>
  [...agents].flatMap(([name, agent]): Offer[] => {
    if (unsureAgents.has(name)) return [];
    if (!('module' in agent)) return [{ name, capabilities: agent.capabilities, types: undefined }];
    const answer = answers.get(name);
    if (answer === undefined || 'error' in answer) return [];
    const capabilities = [...new Set([...(agent.capabilities ?? answer.capabilities), ...answer.types])].sort();
    return [{ name, capabilities, types: answer.types }];
  });

interface Team {
  readonly own: readonly Offer[];
  readonly others: readonly Offer[];
  readonly isComplete: boolean;
}

function checkTask({ path, template, unsure }: OutlineTask, { own, others, isComplete }: Team, problems: Problems): void {
  if (template === undefined || unsure.has('capabilities')) return;
  const needed = template.capabilities ?? [template.type];
  const where = [...path, template.capabilities === undefined ? 'type' : 'capabilities'];
  const takers = [...own, ...others].filter(({ capabilities }) => covers(capabilities, needed));

  if (takers.length === 0 && isComplete) problems.add(where, describeLack(needed, [...own, ...others]));
  for (const { name, types } of takers) {
    if (types === undefined || types.includes(template.type)) continue;
    problems.add(
      where,
      `${name} offers ${needed.join(', ')} and would be given this task, but does not define the type ${template.type}${suggest(template.type, types, 'it defines')}`,
    );
  }
}

function describeLack(needed: readonly string[], offers: readonly Offer[]): string {
  const offered = offers.flatMap(({ capabilities }) => capabilities);
  const missing = uncovered(offered, needed);
  const what = missing.length === 0 ? `no agent offers all of ${needed.join(', ')} together` : `no agent offers ${missing.join(', ')}`;
  const who =
    offers.length === 0
      ? 'there are no agents'
      : `on offer: ${offers.map(({ name, capabilities }) => `${name} (${capabilities.join(', ')})`).join(', ')}`;
  const [first] = missing;
  const meant = first === undefined ? undefined : findNearest(first, offered);
  return `${what}; ${who}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}
