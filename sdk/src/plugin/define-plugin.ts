import type { Summarizer } from './define-summarizer.ts';
import type { Validator } from './define-validator.ts';
import type { PluginPermission, pluginApiVersion } from './manifest.ts';

export interface Plugin {
  readonly name: string;
  /** The version of this contract that the plugin was written for. */
  readonly apiVersion: typeof pluginApiVersion;
  readonly validators: readonly Validator[];
  readonly summarizers: readonly Summarizer[];
  /** What it asks for beside looking at what it is given. Only who starts the coordinator can allow it. */
  readonly permissions: readonly PluginPermission[];
}

type Optional = 'validators' | 'summarizers' | 'permissions';

/** What a plugin's module exports by default. The same stands in the `baton` field of its package.json: `baton plugin manifest` writes it. */
export function definePlugin(plugin: Omit<Plugin, Optional> & Partial<Pick<Plugin, Optional>>): Plugin {
  return { validators: [], summarizers: [], permissions: [], ...plugin };
}
