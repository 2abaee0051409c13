import { definePlugin, defineSummarizer } from '@baton/sdk/plugin';
import { z } from 'zod';
import { digestItems } from './digest-items.ts';

const digest = defineSummarizer({
  name: 'digest',
  config: z.strictObject({}),
  summarize: ({ items, budgetTokens, count }) => digestItems(items, { budgetTokens, count }),
});

export default definePlugin({ name: 'digest', apiVersion: 1, summarizers: [digest] });
