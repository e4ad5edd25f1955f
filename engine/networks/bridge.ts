import { readFile, writeFile } from 'node:fs/promises';
import { runProgram } from '../host/programs.ts';

/** The bridge of a network, as the kernel is to have it. */
export type Bridge = {
  readonly name: string;
  readonly gateway: string;
  readonly prefix: number;
  readonly subnet: string;
};

/**
 * Makes the bridge and the rules that let its containers out, unless they are there already. Safe to repeat:
 * the rules are one table, named after the bridge, that is replaced in one transaction.
 */
export async function ensureBridge(bridge: Bridge): Promise<void> {
  const { name } = bridge;
  if (!(await exists(name))) {
    // The bridge's own address is set by hand: left alone it takes the lowest of its ports' and changes with them.
    const batch = [
      `link add ${name} address ${macOf(bridge.gateway)} type bridge`,
      `addr add ${bridge.gateway}/${bridge.prefix} dev ${name}`,
      `link set ${name} up`,
    ];
    await runProgram('ip', ['-batch', '-'], { input: `${batch.join('\n')}\n` });
  }
  await runProgram('nft', ['-f', '-'], { input: rules(bridge) });
  await allowForwarding();
}

/** Takes the bridge and its rules away. */
export async function removeBridge(name: string): Promise<void> {
  if (await exists(name)) await runProgram('ip', ['link', 'delete', name]);
  await runProgram('nft', ['-f', '-'], { input: `table ip ${name} {}\ndelete table ip ${name}\n` });
}

/** Declaring the table first makes the deletion succeed where there is none (nft(8), «delete»). */
function rules({ name, subnet }: Bridge): string {
  return `
table ip ${name} {}
delete table ip ${name}
table ip ${name} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${subnet} oifname != "${name}" masquerade
  }
}
`;
}

async function exists(name: string): Promise<boolean> {
  const links = JSON.parse(await runProgram('ip', ['-json', 'link', 'show', 'type', 'bridge'])) as {
    ifname?: string;
  }[];
  return links.some((link) => link.ifname === name);
}

/** Containers reach other hosts only through a kernel that forwards. It is left as it is where it does already. */
async function allowForwarding(): Promise<void> {
  const path = '/proc/sys/net/ipv4/ip_forward';
  if ((await readFile(path, 'utf8')).trim() !== '1') await writeFile(path, '1');
}

/** A locally administered hardware address that follows from the IPv4 address, as Docker makes them. */
export function macOf(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return `02:42:${bytes.join(':')}`;
}
