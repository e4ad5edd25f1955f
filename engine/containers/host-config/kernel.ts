import { BerthError } from '../../api/errors.ts';
import type { HostConfig } from '../../api/wire.ts';
import { parseDeviceRule } from '../../runtime/devices.ts';
import { rlimitNames } from '../../runtime/rlimits.ts';

/** What a container may set beneath /proc/sys: that which each IPC namespace has for itself (sysctl(5), ipc_namespaces(7)). */
const ipcSysctls =
  /^kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced|msg_next_id|sem_next_id|shm_next_id)$|^fs\.mqueue\./;

/** Checks what a HostConfig says of ulimits, sysctls, devices and the rest of the kernel. Throws `invalid`. */
export function checkKernelSettings(host: HostConfig): void {
  if ((host.ShmSize ?? 0) < 0)
    throw new BerthError('invalid', `invalid ShmSize ${host.ShmSize}: SHM size can not be less than 0`);
  const adjust = host.OomScoreAdj ?? 0;
  if (adjust < -1000 || adjust > 1000)
    throw new BerthError('invalid', `Invalid value ${adjust}, range for oom score adj is [-1000, 1000]`);
  for (const { Name, Soft, Hard } of host.Ulimits ?? []) {
    if (!rlimitNames.includes(Name)) {
      throw new BerthError('invalid', `invalid ulimit type: ${Name}`, {
        hint: `use one of ${rlimitNames.join(', ')}`,
      });
    }
    if (Hard !== -1 && (Soft === -1 || Soft > Hard)) {
      throw new BerthError(
        'invalid',
        `ulimit soft limit must be less than or equal to hard limit: ${Name}: ${Soft} > ${Hard}`,
      );
    }
  }
  for (const name of Object.keys(host.Sysctls ?? {})) checkSysctl(name, host);
  for (const rule of host.DeviceCgroupRules ?? []) parseDeviceRule(rule);
}

function checkSysctl(name: string, host: HostConfig): void {
  const refuse = (why: string, hint: string) =>
    new BerthError('invalid', `sysctl "${name}" ${why}`, { hint });
  const dotted = name.replaceAll('/', '.');
  if (dotted.split('.').includes('') || !/^[\w.*-]+$/.test(dotted))
    throw refuse('is no name of a sysctl', 'write it as in net.ipv4.ip_forward');
  if (dotted.startsWith('net.')) {
    if (host.NetworkMode === 'host')
      throw refuse('not allowed in host network namespace', 'give the container a network of its own');
    return;
  }
  if (!ipcSysctls.test(dotted))
    throw refuse('is not in a separate kernel namespace', 'it can only be set for the whole machine');
  if (host.IpcMode === 'host')
    throw refuse('not allowed in host ipc namespace', 'give the container an IPC namespace of its own');
}
