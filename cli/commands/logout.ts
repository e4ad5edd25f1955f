import { registryDomain } from '../../engine/api/reference.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  usage: '[REGISTRY]',
  description: 'Without a registry it is Docker Hub. No engine is asked.',
  flags: {},
  takes: [0, 1],
  examples: [{ line: 'berth logout registry.example.com', does: 'Forget the login there' }],
  async run({ stdout, env }, { args: [registry = ''] }) {
    const domain = registryDomain(registry);
    const { eraseCredentials, serverOf } = await import('../../engine/client/credentials.ts');
    const isGone = await eraseCredentials(domain, env);
    const server = serverOf(domain);
    stdout.line(isGone ? `Removing login credentials for ${server}` : `Not logged in to ${server}`);
    return 0;
  },
});
