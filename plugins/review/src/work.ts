import type { Artifact, ArtifactWithContent, GateFacts, Task } from '@baton/sdk/plugin';

interface Subject {
  /** The type of the reviews. */
  readonly artifact: string;
  /** The types of the tasks in which they are written. */
  readonly tasks: readonly string[];
  /** The types of what is reviewed; without it all that is no review. */
  readonly of?: readonly string[] | undefined;
}

/** What is reviewed, as it stands. */
interface Work {
  readonly artifacts: readonly ArtifactWithContent[];
  /** Those that are completed. */
  readonly tasks: readonly Pick<Task, 'title' | 'finishedAt'>[];
  /** The names of the tokens with which it was made. */
  readonly authors: ReadonlySet<string>;
}

/**
 * The artifacts, and the tasks that are no reviews. From which task an artifact comes does not matter: who does the work could
 * hand in a review from the same task.
 */
export function findWork({ artifact, tasks: reviewing, of }: Subject, artifacts: readonly ArtifactWithContent[], facts: GateFacts): Work {
  const subjects = artifacts.filter(({ type }) => (of === undefined ? type !== artifact : of.includes(type)));
  const known = new Map(facts.tasks.map((task) => [task.id, task]));
  const attempts = facts.attempts.filter(
    ({ taskId, outcome }) => of === undefined && outcome === 'completed' && !reviewing.includes(known.get(taskId)?.type ?? ''),
  );
  return {
    artifacts: subjects,
    tasks: attempts.flatMap(({ taskId }) => known.get(taskId) ?? []),
    authors: new Set([...subjects, ...attempts].map(({ token }) => token)),
  };
}

/** In order of age; what was stored in the same millisecond, in that of the ids. */
export const byAge = (a: Artifact, b: Artifact): number => a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id);

/**
 * What of the work a review cannot have been about; undefined where it may be about all that there is. The digests that it names
 * say which artifacts it is about; without any it is about what was stored before it.
 */
export function findUnseen(review: Artifact, digests: readonly string[], { artifacts, tasks }: Work): string | undefined {
  const artifact = artifacts.find((each) => (digests.length > 0 ? !digests.includes(each.sha256) : byAge(each, review) > 0));
  if (artifact !== undefined) return `${artifact.type} "${artifact.name}" version ${artifact.version}`;
  // What is assumed to be completed has no time yet.
  const task = tasks.find(({ finishedAt }) => finishedAt === undefined || finishedAt > review.createdAt);
  return task && `what the task "${task.title}" has done`;
}
