import { configSchema } from '../../coordinator/src/config.ts';
import { openStore } from '../../coordinator/src/db/open-store.ts';

// Opening a store migrates it. Run as `migrate-store.ts postgresql URL` or `migrate-store.ts embedded FOLDER`.
const [store, place] = process.argv.slice(2);
if (place === undefined) throw new Error('Say which store and where.');

const { close } = await openStore(configSchema.parse(store === 'postgresql' ? { databaseUrl: place } : { dataDir: place }));
await close();
