export { makeArtifact, makeFacts, makeItem } from './make-case.ts';
export { PluginTestError } from './plugin-test-error.ts';
export { type RefusedCase, type SummarizerCase, type SummarizerCases, type SummaryCase, testSummarizer } from './test-summarizer.ts';
export { type InvalidCase, type SkippedCase, testValidator, type ValidatorCase, type ValidatorCases } from './test-validator.ts';
