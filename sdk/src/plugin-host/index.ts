export { countTokens } from './count-tokens.ts';
export { describePlugin, type PluginDescription } from './describe-plugin.ts';
export { type PluginLimits, type Sandbox, sandboxes } from './isolation.ts';
export {
  createPluginHost,
  type PluginHost,
  type PluginHostOptions,
  type SummarizeOptions,
  type SummarizeOutcome,
  type ValidateOptions,
  type ValidatorVerdict,
} from './plugin-host.ts';
export type { PluginLog } from './plugin-log.ts';
export { PluginSetupError } from './plugin-setup-error.ts';
export { type PluginInfo, readPlugins } from './read-plugins.ts';
export type { SwitchedOff } from './strikes.ts';
