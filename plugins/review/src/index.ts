import { type ArtifactWithContent, definePlugin, defineValidator, type JsonValue } from '@baton/sdk/plugin';
import { z } from 'zod';
import { byAge, findUnseen, findWork } from './work.ts';

const review = defineValidator({
  name: 'review',
  config: z.strictObject({
    /** The type of the artifacts that are reviews. */
    artifact: z.string().min(1).default('review'),
    /** How many must approve, each stored with a token of another name. */
    approvals: z.int().min(1).default(1),
    /** How many reviews there must be, whatever they say. */
    reviews: z.int().min(1).optional(),
    /** Where in a review it says what it comes to: names with dots between them. */
    path: z.string().min(1).default('verdict'),
    /** What it says there to approve. */
    approve: z.string().default('approve'),
    /** Whether one review that does not approve is enough to refuse. */
    unanimous: z.boolean().default(true),
    /** The types of tasks in which reviews are written. Who completed any other task of the visit is an author. */
    tasks: z.array(z.string().min(1)).default(['review']),
    /** The types of the artifacts that are reviewed. Without it all that is no review, and what tasks have done. */
    of: z.array(z.string().min(1)).min(1).optional(),
    /** Where a review may list the digests (sha256) of the artifacts that it is about. */
    judged: z.string().min(1).default('judged'),
  }),
  validate({ config, artifacts, facts, fail, warn, info }) {
    const work = findWork(config, artifacts, facts);
    const { authors } = work;
    // Reviews that are there are about something else, and those that are not cannot be written yet.
    if (config.of !== undefined && work.artifacts.length === 0)
      return fail(
        'nothing_to_review',
        `There is nothing of what reviews are about here yet: no artifact of the types ${config.of.join(', ')}. Store it first, or name in of the types of what is reviewed.`,
      );
    const all = artifacts.filter(({ type }) => type === config.artifact);
    const others = all.filter(({ token }) => !authors.has(token));
    for (const own of all.filter((each) => !others.includes(each)))
      info(
        'review_of_own',
        `The review "${own.name}" by ${whoOf(own)} does not count: something of the visit that is no review was made with the token ${own.token}, too. Give reviewers tokens of their own, and name the types of their tasks in tasks.`,
        { path: own.name },
      );
    const bound = others.filter((each) => {
      const unseen = findUnseen(each, digestsIn(each.content, config.judged), work);
      if (unseen !== undefined)
        info(
          'review_outdated',
          `The review "${each.name}" by ${whoOf(each)} does not count: it is not about ${unseen}. Review that too, and store the review anew with the sha256 of each artifact that it is about in ${config.judged}; or name in of the types of the artifacts that reviews are about.`,
          { path: each.name },
        );
      return unseen === undefined;
    });

    // One voice for each token, since agents choose their own names: the newest of what was said with it.
    const voices = [...new Map(bound.toSorted(byAge).map((each) => [each.token, each])).values()];
    const approving = voices.filter(({ content }) => valueAt(content, config.path) === config.approve);
    // A refusal does not go away because somebody else stores a review under its name.
    for (const lost of facts.replaced) {
      const isReview = lost.type === config.artifact && !authors.has(lost.token) && findUnseen(lost, [], work) === undefined;
      if (!isReview || voices.some(({ token }) => token === lost.token)) continue;
      const report = config.unanimous ? fail : warn;
      report(
        'review_replaced',
        `The review "${lost.name}" by ${whoOf(lost)} was replaced by another's of this name. It counts again when ${lost.token} stores it under a name of its own.`,
        { path: lost.name },
      );
    }
    const wanted = config.reviews ?? config.approvals;
    if (voices.length < wanted)
      fail(
        'reviews_too_few',
        `${voices.length} of ${wanted} reviews by others of what stands here are there, each with a token of its own, and ${config.approvals} must approve${listAuthors(authors)}.`,
      );
    else if (approving.length < config.approvals)
      fail(
        'approvals_too_few',
        `${approving.length} of ${config.approvals} reviews approve${approving.length === 0 ? '' : `: ${approving.map(whoOf).join(', ')}`}.`,
      );
    for (const voice of config.unanimous ? voices.filter((each) => !approving.includes(each)) : [])
      fail('review_refused', `${whoOf(voice)} says ${JSON.stringify(valueAt(voice.content, config.path) ?? null)} in "${voice.name}".`, {
        path: voice.name,
      });
  },
});

const whoOf = ({ author, token }: Pick<ArtifactWithContent, 'author' | 'token'>): string =>
  author === token ? author : `${author} (token ${token})`;

const listAuthors = (authors: ReadonlySet<string>): string =>
  authors.size === 0 ? '' : `; what is reviewed was made with ${[...authors].join(', ')}`;

function digestsIn(content: JsonValue | undefined, path: string): string[] {
  const digests = valueAt(content, path);
  return Array.isArray(digests) ? digests.filter((each) => typeof each === 'string') : [];
}

function valueAt(content: JsonValue | undefined, path: string): JsonValue | undefined {
  let value = content;
  for (const name of path.split('.'))
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, JsonValue>)[name] : undefined;
  return value;
}

export default definePlugin({ name: 'review', apiVersion: 1, validators: [review] });
