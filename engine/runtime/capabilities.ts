import { readFileSync } from 'node:fs';
import { BerthError } from '../api/errors.ts';

/** In the kernel's order: the place is the number (linux/capability.h). */
const all = [
  'CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP',
  'LINUX_IMMUTABLE', 'NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'IPC_OWNER',
  'SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT', 'SYS_PTRACE', 'SYS_PACCT', 'SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE',
  'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD', 'LEASE', 'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP',
  'MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF',
  'CHECKPOINT_RESTORE',
] as const; // biome-ignore format: a table

/** What a container gets when nobody says otherwise: Docker's set. */
const defaults = new Set([
  'CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID', 'SETFCAP', 'SETPCAP',
  'NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE',
]); // biome-ignore format: a table

/**
 * The capabilities of a container, as the OCI spec names them (`CAP_CHOWN`), cut to what the engine itself
 * holds: the kernel gives no more. Throws `invalid` on a name that is no capability.
 */
export function chooseCapabilities(options: {
  readonly add?: readonly string[] | null | undefined;
  readonly drop?: readonly string[] | null | undefined;
  readonly privileged?: boolean | undefined;
  readonly held?: ReadonlySet<string>;
}): readonly string[] {
  const held = options.held ?? heldCapabilities();
  const add = new Set((options.add ?? []).map(readName));
  const drop = new Set((options.drop ?? []).map(readName));
  const base =
    options.privileged || add.has('ALL')
      ? new Set<string>(all)
      : drop.has('ALL')
        ? new Set<string>()
        : defaults;
  return all
    .filter((name) => add.has(name) || (base.has(name) && !drop.has(name)))
    .filter((name) => held.has(name))
    .map((name) => `CAP_${name}`);
}

function readName(text: string): string {
  const name = text.toUpperCase().replace(/^CAP_/, '');
  if (name !== 'ALL' && !(all as readonly string[]).includes(name)) {
    throw new BerthError('invalid', `invalid capability '${text}'`, {
      hint: 'see capabilities(7) for their names',
    });
  }
  return name;
}

/** What the engine may hand on: its bounding set. */
function heldCapabilities(): ReadonlySet<string> {
  const bits = BigInt(
    `0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`,
  );
  return new Set(all.filter((_name, place) => (bits >> BigInt(place)) & 1n));
}
