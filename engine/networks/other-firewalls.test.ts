import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import test from 'node:test';
import { promisify } from 'node:util';
import { enterHost, joinHosts, makeHost, type TestHost } from '../../workshop/testing/hosts.ts';
import { block, knock, ping, testNetworks } from '../../workshop/testing/networks.ts';
import { loadBusybox, peerMissing, startDockerd } from '../../workshop/testing/peers.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { createClient, parseHost } from '../client/index.ts';

/**
 * Other firewalls on the same host. This thread goes into a network namespace for that, and what it starts with it:
 * the machine's own rules stay as they are.
 */

const run = promisify(execFile);

const web = { protocol: 'tcp', containerPort: 80, address: '', first: 8080, last: 8080 } as const;
const serve = ['sh', '-c', 'busybox nc -ll -p 80 -e echo reached > /dev/null 2>&1 & echo $!'];
const visit = (address: string, port: number) => [
  ...['sh', '-c'],
  `socat -T 2 - TCP:${address}:${port},retry=20,interval=0.1,connect-timeout=2 < /dev/null`,
];
const never = (address: string, port: number) => [
  ...['sh', '-c'],
  `socat -T 1 - TCP:${address}:${port},connect-timeout=1 < /dev/null`,
];
const forwarded = async (program = 'iptables-nft') => (await run(program, ['-S', 'FORWARD'])).stdout;

/** Two hosts on cables of this one, which is their way to everywhere. */
async function outsiders(place: (name: string) => string): Promise<readonly [TestHost, TestHost]> {
  const make = async (name: string, third: number) => {
    const host = await makeHost(place(name));
    await joinHosts({ to: host, here: [`${block}.${third}.1/24`], there: [`${block}.${third}.2/24`] });
    await host.run('ip', 'route', 'add', 'default', 'via', `${block}.${third}.1`);
    return host;
  };
  return [await make('east', 201), await make('west', 202)];
}

test('where iptables refuses what is forwarded, containers reach others and are reached, and nothing else is let through', {
  timeout: 60_000,
}, async () => {
  await using root = await tempRoot('firewalls');
  await using here = await makeHost(root.join('here'));
  using _inside = enterHost(here.path);
  for (const program of ['iptables-nft', 'ip6tables-nft']) await run(program, ['-P', 'FORWARD', 'DROP']);
  const before = await forwarded();
  {
    await using fixture = await testNetworks(`${block}.1.0/24`);
    const [east, west] = await outsiders((name) => fixture.root.join(name));
    await using _east = east;
    await using _west = west;
    const one = await fixture.start('one', ['bridge'], [web]);
    const two = await fixture.start('two');
    const server = Number(await one.inside(...serve));
    try {
      await one.inside(...ping(`${block}.201.2`));
      await one.inside(...ping(two.addresses[0]));
      assert.equal(await east.run(...visit(`${block}.201.1`, 8080)), 'reached\n');
      // What is not ours stays as they have it: neither from one host to another, nor to a container itself.
      await assert.rejects(east.run(...knock(`${block}.202.2`)));
      await assert.rejects(east.run(...never(one.addresses[0] ?? '', 80)));
      // Somebody empties the chain: the rules come back.
      await run('iptables-nft', ['-F', 'FORWARD']);
      while (!(await forwarded()).includes(`-i ${fixture.bridge} -j ACCEPT`));
      await one.inside(...ping(`${block}.201.2`));
      // A table of theirs that drops has the last word.
      const drops = '{ type filter hook forward priority 10; policy drop; }';
      await run('nft', [`add table inet theirs; add chain inet theirs forward ${drops}`]);
      await assert.rejects(one.inside(...knock(`${block}.201.2`)));
      await run('nft', ['delete', 'table', 'inet', 'theirs']);
      await one.inside(...ping(`${block}.201.2`));
      assert.match(await forwarded('ip6tables-nft'), new RegExp(`-o ${fixture.bridge} -j ACCEPT`));
    } finally {
      process.kill(server);
    }
    for (const id of ['one', 'two']) await fixture.stop(id);
  }
  assert.equal(await forwarded(), before, 'with the engine its rules have gone');
});

test('next to dockerd the containers of both go on, and those here are not reached from there but by their ports', {
  skip: (await peerMissing('dockerd')) ?? false,
  timeout: 120_000,
}, async () => {
  await using docker = await startDockerd();
  assert.ok(docker !== undefined);
  await loadBusybox(docker.host);
  const client = createClient(parseHost(docker.host));
  using _client = { [Symbol.dispose]: () => client.close() };
  using _inside = enterHost(docker.networkNamespace);
  const theirs = async (Cmd: readonly string[], more = {}) => {
    const { Id: id } = await client.call('containerCreate', {}, { body: { Image: 'busybox', Cmd, ...more } });
    await client.act('containerStart', { id });
    return id;
  };
  /** Whether a container of theirs gets an answer. */
  const reaches = async (address: string, port: number) => {
    const id = await theirs(['sh', '-c', `nc -w 2 ${address} ${port} < /dev/null | grep reached`]);
    return (await client.call('containerWait', { id })).StatusCode === 0;
  };
  await theirs(['nc', '-ll', '-p', '80', '-e', 'echo', 'reached'], {
    ExposedPorts: { '80/tcp': {} },
    HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '9090' }] } },
  });
  await using fixture = await testNetworks(`${block}.2.0/24`);
  const [east, west] = await outsiders((name) => fixture.root.join(name));
  await using _east = east;
  await using _west = west;
  const one = await fixture.start('one', ['bridge'], [web]);
  const server = Number(await one.inside(...serve));
  try {
    await one.inside(...ping(`${block}.201.2`));
    assert.equal(await east.run(...visit(`${block}.201.1`, 8080)), 'reached\n');
    assert.equal(await east.run(...visit(`${block}.201.1`, 9090)), 'reached\n');
    // Each other's through a port; and ours not else.
    assert.equal(await one.inside(...visit(`${block}.2.1`, 9090)), 'reached\n');
    assert.equal(await reaches(`${block}.201.1`, 8080), true);
    assert.equal(await reaches(one.addresses[0] ?? '', 80), false);
  } finally {
    process.kill(server);
  }
  await fixture.stop('one');
});
