import { definePlugin } from '@baton/sdk/plugin';
import { command } from './command.ts';
import { exec } from './exec.ts';

export default definePlugin({ name: 'command', apiVersion: 1, validators: [command, exec], permissions: ['programs'] });
