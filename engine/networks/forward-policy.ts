import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hasChain } from '../host/nftables.ts';
import { findProgram, runProgram } from '../host/programs.ts';
import type { Network } from './types.ts';

/**
 * Where others refuse what is forwarded (dockerd sets a policy of drop, firewalls do too), packets of containers need
 * their word as well: all base chains of a hook must let a packet pass, and no rule in a table of ours overrides a drop
 * in another (nft(8), «verdicts»). What is not to pass our own rules have dropped before: they come first.
 */

type Kind = { readonly program: string; readonly isThere: () => boolean };

const kinds: readonly Kind[] = [
  { program: 'iptables-nft', isThere: () => hasChain('ip', 'filter', 'FORWARD') },
  // Asked only where it is in use: the question itself would load its modules.
  { program: 'iptables-legacy', isThere: () => existsSync('/proc/net/ip_tables_names') },
  { program: 'ip6tables-nft', isThere: () => hasChain('ip6', 'filter', 'FORWARD') },
  { program: 'ip6tables-legacy', isThere: () => existsSync('/proc/net/ip6_tables_names') },
];

/** Lets packets from and to these networks pass the chain FORWARD of iptables, where that refuses any. Safe to repeat. */
export async function acceptForwarded(
  networks: readonly Network[],
  warn: (message: string) => void,
): Promise<void> {
  for (const kind of kinds) {
    try {
      const rules = await forwardRules(kind);
      if (!rules.some((rule) => /^-P FORWARD DROP|-j (?:DROP|REJECT)/.test(rule))) continue;
      for (const bridge of networks.map(({ bridge = '' }) => bridge)) {
        for (const rule of rulesOf(bridge)) {
          if (!rules.some((line) => line.startsWith('-A FORWARD') && line.includes(` ${rule.join(' ')} `)))
            await runProgram(kind.program, ['-w', '-I', 'FORWARD', ...rule, '-j', 'ACCEPT']);
        }
      }
    } catch (error) {
      warn(`${kind.program}: ${error instanceof Error ? error.message : error}`);
    }
  }
}

/** Takes that back. */
export async function refuseForwarded({ bridge = '' }: Network): Promise<void> {
  for (const kind of kinds) {
    const rules = await forwardRules(kind);
    for (const rule of rulesOf(bridge)) {
      if (rules.some((line) => line.startsWith('-A FORWARD') && line.includes(` ${rule.join(' ')} `)))
        await runProgram(kind.program, ['-w', '-D', 'FORWARD', ...rule, '-j', 'ACCEPT']);
    }
  }
}

const rulesOf = (bridge: string) => [
  ['-i', bridge],
  ['-o', bridge],
];

async function forwardRules({ program, isThere }: Kind): Promise<readonly string[]> {
  if (!isThere() || (await findProgram(program)) === undefined) return [];
  if (program.endsWith('legacy') && !(await usesFilter(program))) return [];
  return (await runProgram(program, ['-w', '-S', 'FORWARD'])).split('\n');
}

async function usesFilter(program: string): Promise<boolean> {
  const names = program.startsWith('ip6') ? 'ip6_tables_names' : 'ip_tables_names';
  return (await readFile(`/proc/net/${names}`, 'utf8')).split('\n').includes('filter');
}
