import manifest from '../package.json' with { type: 'json' };

/** Of the coordinator and of the contract it speaks. */
export const version: string = manifest.version;
