import { createInterface } from 'node:readline';
import { openHistory } from './history.ts';
import { startWorkload, type WorkloadPlan } from './workload.ts';

// Clients of a history in a process of their own. Told by its input to be quiet, and to end; without an input it ends.
const { file, ...plan } = JSON.parse(process.argv[2]!) as WorkloadPlan & { readonly file: string };
const pace = { isQuiet: false, isOver: false };
const orders = createInterface(process.stdin);
orders.on('line', () => {
  pace.isQuiet = true;
});
orders.on('close', () => {
  pace.isQuiet = true;
  pace.isOver = true;
});

await startWorkload(plan, openHistory(file, `${plan.name}.${process.pid}`), pace).ended;
process.exit(0);
