import { resolve } from 'node:path';

/** Where an agent works: the coordinator it serves and the folder it works in. */
export interface AgentPlace {
  readonly url: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly workspace: string | undefined;
}

/** Where `baton up` listens unless told otherwise. */
const usualUrl = 'ws://127.0.0.1:4766/rpc';
const usualTokenFile = '.baton/token';

interface GivenPlace {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly workspace?: string | undefined;
}

/** Paths are absolute, because what the agent starts may run elsewhere. What was given, then the environment, then what is usual. */
export function placeOf(given: GivenPlace, env: NodeJS.ProcessEnv): AgentPlace {
  const workspace = given.workspace ?? env['BATON_WORKSPACE'];
  return {
    url: given.url ?? env['BATON_URL'] ?? usualUrl,
    ...(given.token === undefined
      ? { tokenFile: resolve(given.tokenFile ?? env['BATON_TOKEN_FILE'] ?? usualTokenFile) }
      : { token: given.token }),
    workspace: workspace === undefined ? undefined : resolve(workspace),
  };
}
