export { type Criterion, criterion, criterionOperators } from '@baton/protocol';
export type { ArtifactWithContent, ContextItem, ContextKind, Finding, JsonObject, JsonValue, Task, Ticket } from '@baton/protocol';
export { definePlugin, type Plugin } from './define-plugin.ts';
export { defineSummarizer, type SummarizeInput, type Summarizer, type Summary } from './define-summarizer.ts';
export { defineValidator, type GateFacts, type Place, type Report, type ValidateInput, type Validator } from './define-validator.ts';
export { pluginApiVersion, type PluginManifest, pluginManifest } from './manifest.ts';
