export { type Criterion, criterion, criterionOperators } from '@baton/protocol';
export type {
  Artifact,
  ArtifactWithContent,
  ContextItem,
  ContextKind,
  Finding,
  JsonObject,
  JsonValue,
  Task,
  Ticket,
} from '@baton/protocol';
export { byNeed, isDue } from './by-need.ts';
export { coveredKinds, findSummaryFault, findUncovered, mayBeRetold, type SummaryTask } from './check-summary.ts';
export { createCitationReader } from './citations.ts';
export { definePlugin, type Plugin } from './define-plugin.ts';
export { defineSummarizer, type SummarizeInput, type Summarizer, type Summary } from './define-summarizer.ts';
export {
  type AttemptFacts,
  defineValidator,
  type GateFacts,
  type Place,
  type Report,
  type ValidateInput,
  type Validator,
} from './define-validator.ts';
export { type GroupGuard, openGroupGuard } from './group-guard.ts';
export { type Statement, toStatements } from './statements.ts';
export { cutText } from '../connection/storable-text.ts';
export { configSchemaBytesMax, pluginApiVersion, type PluginManifest, pluginManifest, type PluginPermission } from './manifest.ts';
