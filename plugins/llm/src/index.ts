import { definePlugin, defineSummarizer } from '@baton/sdk/plugin';
import { chooseModel, llmConfig } from './config.ts';
import { openModel } from './open-model.ts';
import { summarizeWith } from './summarize.ts';

const llm = defineSummarizer({
  name: 'llm',
  config: llmConfig,
  summarize: async (input) => summarizeWith(await openModel(chooseModel(input.config)), input),
});

export default definePlugin({ name: 'llm', apiVersion: 1, summarizers: [llm] });
