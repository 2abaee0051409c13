import { jsonObject } from '@baton/protocol';
import { z } from 'zod';

/** Grows when a plugin written for the version before would not work any more. */
export const pluginApiVersion = 1;

/** What a plugin may ask for beside looking at what it is given. `programs`: to run programs, which may do what the coordinator's user may. */
export const pluginPermissions = ['programs'] as const;
export type PluginPermission = (typeof pluginPermissions)[number];

const name = z.string().min(1).max(128);
const names = z.array(name).max(100).default([]);

/** As much as a schema in a workflow may have. */
export const configSchemaBytesMax = 64 * 1024;
const configSchema = jsonObject.refine(
  (schema) => Buffer.byteLength(JSON.stringify(schema)) <= configSchemaBytesMax,
  `A schema may have ${configSchemaBytesMax} bytes of JSON.`,
);

/** The `baton` field of a plugin's package.json: what the plugin offers, readable without running it. */
export const pluginManifest = z
  .object({
    apiVersion: z.literal(pluginApiVersion),
    validators: names,
    summarizers: names,
    permissions: z.array(z.enum(pluginPermissions)).default([]),
    /** JSON Schemas of what validators take as their configuration, by name: workflows are held against them before anything runs. */
    configs: z.record(name, configSchema).default({}),
  })
  .meta({ id: 'PluginManifest' });
export type PluginManifest = z.infer<typeof pluginManifest>;
