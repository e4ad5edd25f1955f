import { isErrno } from '../api/errors.ts';
import { addressBytes, macBytes } from '../host/netlink-message.ts';
import { type Element, elementSteps, openRules } from '../host/nftables.ts';
import { runProgram } from '../host/programs.ts';
import { removalText, rulesText, type SetName, sets } from './firewall-rules.ts';
import { openFirewalld } from './firewalld.ts';
import { acceptForwarded, refuseForwarded } from './forward-policy.ts';
import type { Network } from './types.ts';

/** An element of a set, for the kernel and for nft. */
export type Item = { readonly set: SetName; readonly text: string } & Element;

/** The engine's rules: two tables of its own, of networks and of what their containers have. */
export type Firewall = {
  /** Makes the rules know a network, whose bridge is there. */
  addNetwork(network: Network): Promise<void>;
  removeNetwork(network: Network): Promise<void>;
  /** Lets containers' packets through, or publishes ports: done when it returns. */
  add(items: readonly Item[]): void;
  remove(items: readonly Item[]): void;
  /** Takes away what an earlier engine left, where nothing was made in its place. */
  sweep(): Promise<void>;
  /** Looks after the rules no longer, and leaves them as they are. */
  leave(): void;
  /** Takes everything away. */
  close(): Promise<void>;
};

/** How often it is looked whether somebody took rules away. */
const LOOK_EVERY_MS = 1_000;
/** And how often where no rules but the engine's own have changed. */
const LOOK_ANYWAY_MS = 10_000;

/** `table` is the name of the engine's tables. Nothing is made until there is a network. */
export function openFirewall(table: string, warn: (message: string) => void): Firewall {
  const rules = openRules();
  const firewalld = openFirewalld(() => rules.handles('inet', 'firewalld').join(), warn);
  const networks = new Map<string, Network>();
  const items = new Map<string, Item>();
  const keyOf = ({ set, key }: Item) => `${set} ${key.toString('hex')}`;
  /** Counts what is to change, to see whether a script that nft works on has been overtaken. */
  let version = 0;
  /** Closed or left: what comes late makes nothing any more. */
  let over = false;
  /** The tables are there. */
  let made = false;
  let applying: Promise<void> | undefined;
  let generation = 0;
  /** How many of the changes since then are the engine's own: each transaction is one. */
  let own = 0;
  let looked = 0;
  let handles = '';

  /** What there is of rules; empty where there are none. */
  const look = () => ['inet', 'bridge'].flatMap((family) => rules.handles(family as 'inet', table)).join('');

  /** Puts the tables as they are to be in place of what is there, in one transaction. */
  function apply(): Promise<void> {
    version += 1;
    if (over) return Promise.resolve();
    applying ??= applyAll().finally(() => {
      applying = undefined;
    });
    return applying;
  }

  async function applyAll(): Promise<void> {
    let done = -1;
    while (done !== version) {
      done = version;
      const elements = (set: SetName) =>
        [...items.values()].filter((item) => item.set === set).map(({ text }) => text);
      const input = rulesText({ table, networks: [...networks.values()], elements });
      await runProgram('nft', ['-f', '-'], { input });
      made = networks.size > 0;
      handles = look();
    }
    await letPass();
  }

  /** Has other firewalls on this host let through what these rules let through. */
  async function letPass(): Promise<void> {
    const bridged = [...networks.values()];
    await acceptForwarded(bridged, warn);
    if (!over) await firewalld.trust(bridged.map(({ bridge = '' }) => bridge));
  }

  function change(what: 'newElement' | 'deleteElement', changed: readonly Item[]): void {
    version += 1;
    // The script that is being applied, or the first one, brings them.
    if (!made || over) return;
    const steps = [...Map.groupBy(changed, ({ set }) => set)].flatMap(([name, of]) =>
      elementSteps(what, { family: sets[name].family, table, name }, of),
    );
    try {
      rules.run(steps);
      own += 1;
    } catch (error) {
      if (!isErrno(error, 'ENOENT') && !isErrno(error, 'EEXIST')) throw error;
      // Somebody took the tables away; or a script that was written before has just put back what had been taken out.
      void restore();
    }
  }

  async function restore(): Promise<void> {
    try {
      await apply();
    } catch (error) {
      warn(`the rules of ${table} could not be restored: ${String(error)}`);
    }
  }

  const timer = setInterval(() => {
    if (!made || applying !== undefined) return;
    const now = rules.generation();
    if (now === generation && !firewalld.isLate()) return;
    // Programs are asked what others do: not for each container that comes and goes. Not all of it moves the number.
    const others = now !== generation + own;
    if (!others && performance.now() - looked < LOOK_ANYWAY_MS) return;
    generation = now;
    own = 0;
    looked = performance.now();
    if (look() !== handles) {
      warn(`somebody changed the rules of ${table}: they are put back`);
      void restore();
    } else void letPass().catch((error) => warn(String(error)));
  }, LOOK_EVERY_MS);
  timer.unref();

  return {
    async addNetwork(network) {
      networks.set(network.id, network);
      await apply();
    },
    async removeNetwork(network) {
      networks.delete(network.id);
      await refuseForwarded(network);
      await firewalld.forget([network.bridge ?? '']);
      await apply();
    },
    add(added) {
      for (const item of added) items.set(keyOf(item), item);
      change('newElement', added);
    },
    remove(removed) {
      const there = removed.filter((item) => items.delete(keyOf(item)));
      if (there.length > 0) change('deleteElement', there);
    },
    async sweep() {
      if (!made && look() !== '') await apply();
    },
    leave() {
      over = true;
      clearInterval(timer);
      rules[Symbol.dispose]();
    },
    async close() {
      over = true;
      clearInterval(timer);
      await applying;
      for (const network of networks.values()) await refuseForwarded(network);
      await firewalld.forget([...networks.values()].map(({ bridge = '' }) => bridge));
      rules[Symbol.dispose]();
      networks.clear();
      made = false;
      await runProgram('nft', ['-f', '-'], { input: removalText(table) });
    },
  };
}

/** What lets a container's packets into its bridge: its own addresses, hardware and others, and no one else's. */
export function ownAddresses(options: {
  readonly hostInterface: string;
  readonly mac: string;
  readonly addresses: readonly string[];
}): readonly Item[] {
  const { hostInterface, mac, addresses } = options;
  const port = padded(Buffer.from(hostInterface), 16);
  const start = [port, padded(macBytes(mac), 8)];
  const named = `"${hostInterface}" . ${mac.replaceAll('-', ':')}`;
  return [
    { set: 'ports', key: port, text: `"${hostInterface}"` },
    { set: 'hardware', key: Buffer.concat(start), text: named },
    ...addresses.flatMap((address): readonly Item[] => {
      const bytes = addressBytes(address);
      const key = Buffer.concat([...start, bytes]);
      const text = `${named} . ${address}`;
      if (!address.includes(':')) return [{ set: 'addresses4', key, text }];
      return [
        { set: 'addresses6', key, text },
        { set: 'neighbours', key, text: `${named} . 0x${bytes.toString('hex')}` },
      ];
    }),
  ];
}

function padded(bytes: Buffer, length: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(length - bytes.length)]);
}
