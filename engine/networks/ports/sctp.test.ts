import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ethernet, type Frames, openFrames, sctpInit } from '../../../workshop/testing/frames.ts';
import { joinHosts, makeHost } from '../../../workshop/testing/hosts.ts';
import { block, ping, testNetworks } from '../../../workshop/testing/networks.ts';
import { isErrno } from '../../api/errors.ts';
import { addressBytes as bytes } from '../../host/netlink-message.ts';
import { bindSocket, closeSocket } from '../../host/sockets.ts';
import { publishedItems } from './items.ts';

const run = promisify(execFile);
const SCTP = 132;
const published = { protocol: 'sctp', containerPort: 80, address: '0.0.0.0', port: 9090 } as const;

test('a port of SCTP is published where the kernel knows it, and refused by name where it does not', async () => {
  await using fixture = await testNetworks();
  const wish = { protocol: 'sctp', containerPort: 80, address: '', first: 0, last: 0 } as const;
  const started = fixture.start('one', ['bridge'], [wish]);
  if (isKnown()) {
    await started;
    assert.equal(fixture.networks.portsOf('one')[0]?.protocol, 'sctp');
  } else await assert.rejects(started, { message: 'this kernel does not know sctp', hint: 'modprobe sctp' });
  await fixture.stop('one');
});

test('the rules lead SCTP to a container, and its answers back', { timeout: 60_000 }, async () => {
  await using fixture = await testNetworks();
  await using outside = await makeHost(fixture.root.join('outside'));
  const cable = await joinHosts({ to: outside, here: [`${block}.200.1/24`], there: [`${block}.200.2/24`] });
  const one = await fixture.start('one');
  // Both know each other's hardware then.
  await one.inside(...ping(`${block}.200.2`));
  const [{ text = '', set = '' } = {}] = publishedItems(published, {
    address: one.addresses[0] ?? '',
    address6: '',
  });
  await run('nft', ['add', 'element', 'inet', fixture.bridge, set, `{ ${text} }`]);
  const links = async (inside: (...command: string[]) => Promise<string>) =>
    (
      JSON.parse(await inside('ip', '-json', 'link', 'show', 'eth0')) as {
        ifindex: number;
        address: string;
      }[]
    )[0];
  const [there, here] = [await links(outside.run), await links(one.inside)];
  using client = openFrames(outside.path, there?.ifindex ?? 0);
  using server = openFrames(one.path, here?.ifindex ?? 0);
  const macOfLink = (name: string) => readFileSync(`/sys/class/net/${name}/address`, 'utf8').trim();

  const caller = { ip: bytes(`${block}.200.2`), port: 4_000 };
  const port = { ip: bytes(`${block}.200.1`), port: published.port };
  const container = { ip: bytes(one.addresses[0] ?? ''), port: 80 };
  client.send(
    ethernet(
      { from: there?.address ?? '', to: macOfLink(cable), type: 'ip' },
      sctpInit(caller, port, { tag: 7 }),
    ),
  );
  assert.deepEqual(await arrived(server, container.ip), { from: caller, to: container });
  server.send(
    ethernet(
      { from: here?.address ?? '', to: macOfLink(fixture.bridge), type: 'ip' },
      sctpInit(container, caller, { tag: 8, answers: 7 }),
    ),
  );
  assert.deepEqual(await arrived(client, caller.ip), { from: port, to: caller });
  await fixture.stop('one');
});

/** Asking for a socket loads the kernel's module, where there is one. */
function isKnown(): boolean {
  try {
    closeSocket(bindSocket({ protocol: 'sctp', address: '127.0.0.1', port: 0 }).fd);
    return true;
  } catch (error) {
    if (!isErrno(error, 'EPROTONOSUPPORT')) throw error;
    return false;
  }
}

/** Who speaks to whom in the next packet of SCTP to an address. */
async function arrived(frames: Frames, to: Buffer) {
  for (;;) {
    for (const frame of frames.seen()) {
      const ip = frame.subarray(14);
      if (frame.readUInt16BE(12) !== 0x0800 || ip[9] !== SCTP || !ip.subarray(16, 20).equals(to)) continue;
      const ports = ip.subarray(20);
      return {
        from: { ip: ip.subarray(12, 16), port: ports.readUInt16BE(0) },
        to: { ip: ip.subarray(16, 20), port: ports.readUInt16BE(2) },
      };
    }
    await turn();
  }
}
