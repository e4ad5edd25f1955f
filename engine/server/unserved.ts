import { BerthError } from '../api/errors.ts';
import type { Pattern } from './router.ts';

/**
 * The Engine API's endpoints that this engine does not serve. A client that asks for one of them is told so (501);
 * one that looks for an object of a kind that can't exist here gets the 404 it can work with, for `docker inspect
 * NAME` asks for every kind in turn.
 */
export type Unserved = Pattern & {
  readonly why: 'notServed' | 'noPlugin' | 'noSwarm';
};

const notServed = [
  'GET /auth',
  'POST /build',
  'POST /build/cancel',
  'POST /grpc',
  'GET /plugins',
  'GET /plugins/privileges',
  'POST /plugins/pull',
  'POST /plugins/create',
  'POST /session',
  'POST /swarm/init',
  'POST /swarm/join',
];
const noSwarm = ['configs', 'nodes', 'secrets', 'services', 'swarm', 'tasks'].flatMap((kind) =>
  ['GET', 'POST', 'DELETE'].flatMap((method) => [`${method} /${kind}`, `${method} /${kind}/{rest*}`]),
);

const rows: Readonly<Record<Unserved['why'], readonly string[]>> = {
  notServed,
  noPlugin: ['GET /plugins/{name*}/json', 'DELETE /plugins/{name*}', 'POST /plugins/{name*}'],
  noSwarm: [...noSwarm, 'PUT /volumes/{name*}'],
};

export const unserved: readonly Unserved[] = Object.entries(rows).flatMap(([why, routes]) =>
  routes.map((route) => ({
    method: route.slice(0, route.indexOf(' ')),
    path: route.slice(route.indexOf(' ') + 1),
    why: why as Unserved['why'],
  })),
);

/** What is said of a request for one of them. */
export function unservedError(row: Unserved, path: Readonly<Record<string, string>>): BerthError {
  switch (row.why) {
    case 'notServed':
      return new BerthError('unsupported', `${row.method} ${row.path} is not served by this engine`, {
        hint: 'docs/api.md lists what is',
      });
    case 'noPlugin':
      return new BerthError('notFound', `plugin "${path.name}" not found`);
    case 'noSwarm':
      return new BerthError('unavailable', 'This node is not a swarm manager.', {
        hint: 'this engine does not serve swarms',
      });
  }
}
