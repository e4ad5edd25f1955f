import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import test from 'node:test';
import { block, testNetworks } from '../../../workshop/testing/networks.ts';
import { inNetworkNamespace } from '../../host/network-namespace.ts';
import { bindSocket } from '../../host/sockets.ts';
import { formatSubnet } from '../addresses.ts';
import { linkLocalOf } from '../bridge.ts';
import { inventSubnet6 } from '../pool.ts';

test('containers on internal networks alone reach no published port, by IPv4 or IPv6', async () => {
  await using fixture = await testNetworks();
  const make = async (name: string, third: number, more = {}) => {
    const six = formatSubnet(inventSubnet6());
    const Config = [{ Subnet: `${block}.${third}.0/24` }, { Subnet: six }];
    await fixture.networks.create({ Name: name, EnableIPv6: true, IPAM: { Config }, ...more });
    return [`${block}.${third}.1`, six.replace('::/64', '::1')] as const;
  };
  const gateways = await make('shut', 30, { Internal: true });
  const outside = await make('six', 31);
  const inside = await fixture.start('inside', ['shut']);
  const bridge = fixture.networks.find('shut').bridge ?? '';
  const link = linkLocalOf(readFileSync(`/sys/class/net/${bridge}/address`, 'utf8').trim());
  // Its own address of the link comes some time after the link is up.
  await inside.inside('sh', '-c', `until busybox ping -6 -c 1 -W 2 ${link}%eth0 >/dev/null 2>&1; do :; done`);
  const wish = { protocol: 'tcp', containerPort: 80, address: '', first: 0, last: 0 } as const;
  // One that the kernel leads to by IPv4 alone, so that the engine carries IPv6, and one that it leads to by both.
  for (const [id, on] of [
    ['four', 'bridge'],
    ['both', 'six'],
  ] as const) {
    const { path } = await fixture.start(id, [on], [wish]);
    using servers = new DisposableStack();
    for (const address of ['0.0.0.0', '::']) {
      const { fd } = inNetworkNamespace(path, () => bindSocket({ protocol: 'tcp', address, port: 80 }));
      const server = createServer((socket) => socket.end('reached')).listen({ fd });
      servers.defer(() => server.close());
    }
    const port = fixture.networks.portsOf(id)[0]?.port ?? 0;
    for (const host of ['127.0.0.1', '::1']) {
      const [said] = (await once(connect({ host, port }), 'data')) as [Buffer];
      assert.equal(said.toString(), 'reached', host);
    }
    for (const address of [...gateways, `${link}%eth0`, ...outside]) {
      const to = `TCP:${address.includes(':') ? `[${address}]` : address}:${port},connect-timeout=1`;
      const said = await inside.inside('sh', '-c', `socat -T 1 - ${to} < /dev/null 2>&1 || true`);
      assert.doesNotMatch(said, /reached/, `${id} at ${address}`);
    }
  }
  for (const id of ['four', 'both', 'inside']) await fixture.stop(id);
});
