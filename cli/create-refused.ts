import type { Flag } from './command.ts';
import { refused } from './refused.ts';

const text: Flag = { type: 'string', summary: '' };
const texts: Flag = { type: 'list', summary: '' };
const truth: Flag = { type: 'boolean', summary: '' };

const windows = 'Windows alone has it';

/** docker's flags for a new container that mean something this command line can't say. */
export const refusedFlags = {
  linkLocalIp: refused(texts, 'addresses of a link alone are not given', '--ip6 gives one of the network'),
  gpus: refused(text, 'no driver for GPUs is there', '--device gives a device of the host'),
  useApiSocket: refused(
    truth,
    'the socket of the engine is not handed out',
    '-v binds it where you want that',
  ),
  kernelMemory: refused(text, 'kernels have given it up', '--memory counts it too'),
  disableContentTrust: refused(truth, 'images are checked by digest, not by signature', undefined, true),
  cpuCount: refused(text, windows, '--cpus limits processors'),
  cpuPercent: refused(text, windows, '--cpus limits processors'),
  ioMaxbandwidth: refused(text, windows, '--device-read-bps limits traffic'),
  ioMaxiops: refused(text, windows, '--device-read-iops limits traffic'),
} as const satisfies Readonly<Record<string, Flag>>;
