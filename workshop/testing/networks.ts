import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { openNetworks } from '../../engine/networks/networks.ts';
import type { PortWish } from '../../engine/networks/ports/types.ts';
import { openDatabase } from '../../engine/state/database.ts';
import { tempRoot } from './temp.ts';

const run = promisify(execFile);

/** How the addresses begin that a test file may use: `10.77`. No other that runs at the same time has them. */
export const block = chooseBlock();

function chooseBlock(): string {
  const used = Object.values(networkInterfaces())
    .flat()
    .map((each) => each?.address ?? '');
  for (let number = process.pid; ; number += 1) {
    // Of processes that run at the same time no two have one number.
    const chosen = `10.${64 + (number % 190)}`;
    if (!used.some((address) => address.startsWith(`${chosen}.`))) return chosen;
  }
}

/** Under which names a container of that id is known. */
export const identityOf = (id: string) => ({ name: `name-${id}`, hostname: id, nameServers: [] });

/** The networks of an engine that has nothing else, on a database and a bridge of their own. */
export async function testNetworks(subnet = `${block}.0.0/24`) {
  const root = await tempRoot('net');
  const database = openDatabase(root.join('db'));
  const bridge = `berth-${randomBytes(4).toString('hex')}`;
  const open = () => openNetworks(database, { bridge, subnet });
  let networks = open();
  const started = new Set<string>();
  return {
    root,
    bridge,
    get networks() {
      return networks;
    },
    async reopen() {
      await networks.leave();
      networks = open();
      return networks;
    },
    /** Starts a container of that id on networks, the default bridge where none are named. */
    async start(id: string, on: readonly string[] = ['bridge'], ports: readonly PortWish[] = []) {
      const path = root.join(id);
      started.add(id);
      networks.attach(
        id,
        on.map((name) => ({ network: networks.find(name), wish: {} })),
      );
      await networks.start({ containerId: id, path, identity: identityOf(id), ports });
      const inside = async (...command: string[]) =>
        (await run('nsenter', [`--net=${path}`, ...command])).stdout;
      return { id, path, inside, addresses: networks.joinedBy(id).map(({ endpoint }) => endpoint.address) };
    },
    async stop(id: string) {
      await networks.stop(id, root.join(id));
      networks.forget(id);
      started.delete(id);
    },
    async [Symbol.asyncDispose]() {
      for (const id of started) await networks.stop(id, root.join(id));
      await networks.close();
      database.close();
      await root[Symbol.asyncDispose]();
    },
  };
}

export const ping = (address = '') => ['busybox', 'ping', '-c', '1', '-W', '20', address];
/** For what is not to be reached. */
export const knock = (address = '') => ['busybox', 'ping', '-c', '1', '-W', '1', address];
