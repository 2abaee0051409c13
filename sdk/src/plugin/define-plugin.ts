import type { Summarizer } from './define-summarizer.ts';
import type { Validator } from './define-validator.ts';
import type { pluginApiVersion } from './manifest.ts';

export interface Plugin {
  readonly name: string;
  /** The version of this contract that the plugin was written for. */
  readonly apiVersion: typeof pluginApiVersion;
  readonly validators: readonly Validator[];
  readonly summarizers: readonly Summarizer[];
}

/** What a plugin's module exports by default. The same names stand in the `baton` field of its package.json. */
export function definePlugin(
  plugin: Omit<Plugin, 'validators' | 'summarizers'> & Partial<Pick<Plugin, 'validators' | 'summarizers'>>,
): Plugin {
  return { validators: [], summarizers: [], ...plugin };
}
