import { z } from 'zod';

/** Grows when a plugin written for the version before would not work any more. */
export const pluginApiVersion = 1;

/** What a plugin may ask for beside looking at what it is given. `programs`: to run programs, which may do what the coordinator's user may. */
export const pluginPermissions = ['programs'] as const;
export type PluginPermission = (typeof pluginPermissions)[number];

const names = z.array(z.string().min(1).max(128)).max(100).default([]);

/** The `baton` field of a plugin's package.json: what the plugin offers, readable without running it. */
export const pluginManifest = z
  .object({
    apiVersion: z.literal(pluginApiVersion),
    validators: names,
    summarizers: names,
    permissions: z.array(z.enum(pluginPermissions)).default([]),
  })
  .meta({ id: 'PluginManifest' });
export type PluginManifest = z.infer<typeof pluginManifest>;
