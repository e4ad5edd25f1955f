import assert from 'node:assert/strict';
import test from 'node:test';
import { startFirewalld } from '../../workshop/testing/firewalld.ts';
import { enterHost, joinHosts, makeHost } from '../../workshop/testing/hosts.ts';
import { block, knock, ping, testNetworks } from '../../workshop/testing/networks.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { openFirewalld } from './firewalld.ts';

/** firewalld itself, in a network namespace that this thread goes into: the machine's rules stay as they are. */

const web = { protocol: 'tcp', containerPort: 80, address: '', first: 8080, last: 8080 } as const;
const serve = ['sh', '-c', 'busybox nc -ll -p 80 -e echo reached > /dev/null 2>&1 & echo $!'];
const visit = (address: string, port: number, seconds: number) => [
  ...['sh', '-c'],
  `socat -T ${seconds} - TCP:${address}:${port},retry=5,interval=0.1,connect-timeout=${seconds} < /dev/null`,
];

test('next to firewalld containers reach others and are reached by their ports, also after it was loaded anew, and nothing else is let through', {
  timeout: 180_000,
}, async () => {
  await using root = await tempRoot('firewalld-here');
  await using here = await makeHost(root.join('here'));
  using _inside = enterHost(here.path);
  await using firewalld = await startFirewalld();
  const trusted = async () =>
    (await firewalld.command('--zone=trusted', '--list-interfaces')).split(/\s+/).filter(Boolean);
  {
    await using fixture = await testNetworks(`${block}.1.0/24`);
    await using east = await makeHost(root.join('east'));
    const cable = await joinHosts({ to: east, here: [`${block}.201.1/24`], there: [`${block}.201.2/24`] });
    await east.run('ip', 'route', 'add', 'default', 'via', `${block}.201.1`);
    const one = await fixture.start('one', ['bridge'], [web]);
    await fixture.networks.create({ Name: 'other', IPAM: { Config: [{ Subnet: `${block}.2.0/24` }] } });
    const two = await fixture.start('two', ['other']);
    const bridges = [fixture.bridge, fixture.networks.find('other').bridge ?? ''];
    const server = Number(await one.inside(...serve));
    try {
      const check = async () => {
        await one.inside(...ping(`${block}.201.2`));
        await two.inside(...ping(`${block}.201.2`));
        await one.inside(...ping(`${block}.1.1`));
        assert.equal(await east.run(...visit(`${block}.201.1`, 8080, 2)), 'reached\n');
        await assert.rejects(east.run(...visit(one.addresses[0] ?? '', 80, 1)));
        await assert.rejects(two.inside(...knock(one.addresses[0])));
        assert.deepEqual((await trusted()).toSorted(), bridges.toSorted());
      };
      await check();
      await firewalld.command('--reload');
      while ((await trusted()).length < bridges.length);
      await check();
      await firewalld.restart();
      while ((await trusted()).length < bridges.length);
      await check();
      // From its default zone firewalld itself refuses other hosts. Where it lets all through, our rules do.
      await firewalld.command('--zone=trusted', `--change-interface=${cable}`);
      assert.equal(await east.run(...visit(`${block}.201.1`, 8080, 2)), 'reached\n');
      await assert.rejects(east.run(...visit(one.addresses[0] ?? '', 80, 1)));
      await firewalld.command('--zone=trusted', `--remove-interface=${cable}`);
      // An operator's own choice stays.
      await firewalld.command('--zone=public', `--change-interface=${bridges[1]}`);
      await firewalld.command('--zone=trusted', `--remove-interface=${bridges[0]}`);
      while (!(await trusted()).includes(bridges[0] ?? ''));
      assert.ok(!(await trusted()).includes(bridges[1] ?? ''));
      {
        using _silent = firewalld.pause();
        const began = performance.now();
        await fixture.networks.create({ Name: 'late', IPAM: { Config: [{ Subnet: `${block}.3.0/24` }] } });
        assert.ok(performance.now() - began < 15_000, 'a network waits for it for a while only');
      }
      const late = fixture.networks.find('late').bridge ?? '';
      while (!(await trusted()).includes(late));
      await fixture.networks.remove('late');
    } finally {
      process.kill(server);
    }
    for (const id of ['one', 'two']) await fixture.stop(id);
    await fixture.networks.remove('other');
    assert.deepEqual(await trusted(), [fixture.bridge]);
  }
  assert.deepEqual(await trusted(), [], 'with the engine its bridges have gone');
});

test('where its rules cannot be asked for, that is told, and later bridges are none the worse for it', async () => {
  const warnings: string[] = [];
  let fails = true;
  const rules = () => {
    if (fails) throw new Error('no line to the kernel');
    return '';
  };
  const firewalld = openFirewalld(rules, (message) => warnings.push(message));
  await firewalld.trust(['berth-none']);
  await firewalld.forget(['berth-none']);
  assert.deepEqual(warnings, Array(2).fill('firewalld: no line to the kernel'));
  fails = false;
  await firewalld.trust(['berth-none']);
  assert.equal(warnings.length, 2);
});
