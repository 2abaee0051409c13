import type { Finding, JsonObject } from '@baton/protocol';
import { z } from 'zod';
import { cutText } from '../connection/storable-text.ts';

type PluginConfig = { readonly fits: true; readonly value: unknown } | { readonly fits: false; readonly findings: Finding[] };

/** Reads a configuration by the plugin's own schema. What does not fit is named field by field. */
export async function readPluginConfig({ config }: { readonly config: z.ZodType }, given: JsonObject): Promise<PluginConfig> {
  const read = await config.safeParseAsync(given);
  if (read.success) return { fits: true, value: read.data };
  return { fits: false, findings: read.error.issues.map(toFinding) };
}

function toFinding(issue: z.core.$ZodIssue): Finding {
  const path = cutText(z.core.toDotPath(issue.path), 1_024);
  const message = `The configuration does not fit: ${path === '' ? '' : `${path}: `}${issue.message}`;
  return { severity: 'fail', code: 'config_invalid', message: cutText(message, 4_000), path };
}
