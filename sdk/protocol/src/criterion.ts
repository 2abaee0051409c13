import { z } from 'zod';
import { artifactType } from './artifact.ts';
import { refuseWrongCriterion } from './criterion-rules.ts';
import { jsonValue } from './values.ts';

export const criterionOperators = ['==', '!=', '>', '>=', '<', '<=', 'contains', 'containsAll', 'matches', 'exists'] as const;

const smallSample = z
  .strictObject({
    path: z.string().min(1).max(512).describe('Where in the same content the size of the sample stands.'),
    below: z.number().describe('A sample is small where its size is less than this.'),
    margin: z.number().min(0).describe('How much less than `value` is enough for `>` and `>=`, and how much more for `<` and `<=`.'),
  })
  .meta({
    id: 'SmallSample',
    description:
      'Few cases say little: where the sample is small, `value` is relaxed by a margin. Where it is empty, or its size is no number, nothing is relaxed.',
  });

export const criterion = z
  .strictObject({
    artifact: artifactType.describe("The artifact's type. Every current artifact of this type is judged."),
    path: z
      .string()
      .min(1)
      .max(512)
      .describe('Where in the content to look: names and indices with dots between them, as in `suites.0.failed`.'),
    op: z.enum(criterionOperators),
    value: jsonValue
      .optional()
      .describe('What it is compared with; `exists` needs none, and `matches` a regular expression as RE2 reads it.'),
    smallSample: smallSample.optional().describe('A margin for small samples; only with an operator that compares sizes.'),
    optional: z
      .boolean()
      .optional()
      .describe('Where nothing stands at `path`, the criterion holds. Without it what is missing fulfils nothing.'),
  })
  .superRefine(refuseWrongCriterion)
  .meta({
    id: 'Criterion',
    description: "One comparison on the content of an artifact: `{ artifact: 'test_coverage', path: 'percentage', op: '>=', value: 80 }`.",
  });
export type Criterion = z.infer<typeof criterion>;
