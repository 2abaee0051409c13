import { type ArtifactWithContent, definePlugin, defineValidator, type GateFacts, type JsonValue } from '@baton/sdk/plugin';
import { z } from 'zod';

const review = defineValidator({
  name: 'review',
  config: z.strictObject({
    /** The type of the artifacts that are reviews. */
    artifact: z.string().min(1).default('review'),
    /** How many must approve, each by another. */
    approvals: z.int().min(1).default(1),
    /** How many reviews there must be, whatever they say. */
    reviews: z.int().min(1).optional(),
    /** Where in a review it says what it comes to: names with dots between them. */
    path: z.string().min(1).default('verdict'),
    /** What it says there to approve. */
    approve: z.string().default('approve'),
    /** Whether one review that does not approve is enough to refuse. */
    unanimous: z.boolean().default(true),
    /** Only the authors of these types count as authors. Without it those of everything that is no review, and who completed the tasks it came from. */
    of: z.array(z.string()).optional(),
  }),
  validate({ config, artifacts, facts, fail, info }) {
    const authors = findAuthors(config, artifacts, facts);
    const all = artifacts.filter(({ type }) => type === config.artifact);
    const others = all.filter(({ author }) => !authors.has(author));
    for (const { name, author } of all.filter((each) => !others.includes(each)))
      info('review_of_own', `The review "${name}" is by ${author}, an author of what it reviews, and does not count.`, { path: name });

    // One voice each: the newest of what somebody said.
    const byAge = others.toSorted((a, b) => a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id));
    const voices = [...new Map(byAge.map((each) => [each.author, each])).values()];
    const approving = voices.filter(({ content }) => valueAt(content, config.path) === config.approve);
    const wanted = config.reviews ?? config.approvals;
    if (voices.length < wanted)
      fail('reviews_too_few', `${voices.length} of ${wanted} reviews by others are there${listAuthors(authors)}.`);
    if (approving.length < config.approvals)
      fail(
        'approvals_too_few',
        `${approving.length} of ${config.approvals} reviews approve${approving.length === 0 ? '' : `: ${approving.map(({ author }) => author).join(', ')}`}.`,
      );
    for (const { name, author, content } of config.unanimous ? voices.filter((each) => !approving.includes(each)) : [])
      fail('review_refused', `${author} says ${JSON.stringify(valueAt(content, config.path) ?? null)} in "${name}".`, { path: name });
  },
});

interface Subject {
  readonly artifact: string;
  readonly of?: readonly string[] | undefined;
}

/** Who made what is reviewed: the authors of its artifacts, and the agents who completed the tasks that made something else than reviews. */
function findAuthors({ artifact, of }: Subject, artifacts: readonly ArtifactWithContent[], { attempts }: GateFacts): Set<string> {
  const subjects = artifacts.filter(({ type }) => (of === undefined ? type !== artifact : of.includes(type)));
  const authors = new Set(subjects.map(({ author }) => author));
  if (of !== undefined) return authors;
  const reviewing = new Set(artifacts.filter(({ type }) => type === artifact).map(({ taskId }) => taskId));
  for (const { taskId, outcome, agentName } of attempts) if (outcome === 'completed' && !reviewing.has(taskId)) authors.add(agentName);
  return authors;
}

const listAuthors = (authors: ReadonlySet<string>): string => (authors.size === 0 ? '' : `; the authors are ${[...authors].join(', ')}`);

function valueAt(content: JsonValue | undefined, path: string): JsonValue | undefined {
  let value = content;
  for (const name of path.split('.'))
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, JsonValue>)[name] : undefined;
  return value;
}

export default definePlugin({ name: 'review', apiVersion: 1, validators: [review] });
