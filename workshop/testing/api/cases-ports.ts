import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { make, refusal, run } from './containers.ts';
import { ask, differs, type Loose } from './wire.ts';

const filters = (value: object) => encodeURIComponent(JSON.stringify(value));
const exposed = { '80/tcp': {}, '53/udp': {} };
/** dockerd 20.10 publishes those ports alone that are exposed as well. */
const publishing = (bindings: Loose, more: Loose = {}) => ({
  ExposedPorts: exposed,
  HostConfig: { PortBindings: bindings, ...more },
});
const at = (port: number | string, address = '') => [{ HostIp: address, HostPort: String(port) }];
const portsOf = async (made: { readonly inspect: () => Promise<Loose> }) =>
  (await made.inspect()).NetworkSettings.Ports;

/** Below those that are drawn, and another for each run of the tests. */
const port = 20_000 + (process.pid % 10_000);

/** Ports of containers on the host. */
export const portCases: Readonly<Record<string, Case>> = {
  'a published port is shown where it is, as long as the container runs': async (subject) => {
    await using made = await make(subject, ['sleep', '60'], publishing({ '80/tcp': at(port) }));
    assert.deepEqual(await portsOf(made), {});
    await made.start();
    const places = ['0.0.0.0', '::'].map((HostIp) => ({ HostIp, HostPort: String(port) }));
    assert.deepEqual(await portsOf(made), { '80/tcp': places, '53/udp': null });
    const list = async (filter: Loose = {}) =>
      (
        await ask(subject, `GET /v1.41/containers/json?filters=${filters({ id: [made.id], ...filter })}`)
      ).json();
    const [row] = await list();
    const shown = { PrivatePort: 80, PublicPort: port, Type: 'tcp' };
    assert.deepEqual(
      row.Ports.toSorted((a: Loose, b: Loose) => ((a.IP ?? '') < (b.IP ?? '') ? -1 : 1)),
      [
        { PrivatePort: 53, Type: 'udp' },
        { IP: '0.0.0.0', ...shown },
        { IP: '::', ...shown },
      ],
    );
    assert.equal((await list({ publish: ['80'] })).length, 0);
    assert.equal((await list({ publish: [String(port)] })).length, 1);
    assert.equal((await ask(subject, `POST /v1.41/containers/${made.id}/stop?t=0`)).status, 204);
    assert.deepEqual(await portsOf(made), {});
    assert.deepEqual((await made.inspect()).HostConfig.PortBindings, { '80/tcp': at(port) });
    await made.start();
    assert.deepEqual((await portsOf(made))['80/tcp'], places);
  },
  'all that is exposed is published at ports that are free, and what is bound where it was bound': async (
    subject,
  ) => {
    const bindings = { '80/tcp': at('', '127.0.0.1') };
    await using made = await run(subject, 'sleep 60', publishing(bindings, { PublishAllPorts: true }));
    const ports = await portsOf(made);
    assert.deepEqual(
      ports['80/tcp'].map(({ HostIp }: Loose) => HostIp),
      ['127.0.0.1'],
    );
    assert.deepEqual(
      ports['53/udp'].map(({ HostIp }: Loose) => HostIp),
      ['0.0.0.0', '::'],
    );
    for (const { HostPort } of [...ports['80/tcp'], ...ports['53/udp']])
      assert.ok(Number(HostPort) >= 32_768, HostPort);
  },
  'a port that is allocated is refused at the start; of a range another is taken': async (subject) => {
    await using first = await run(subject, 'sleep 60', publishing({ '80/tcp': at('') }));
    const port = Number((await portsOf(first))['80/tcp'][0].HostPort);
    await using second = await make(subject, ['sleep', '60'], publishing({ '80/tcp': at(port) }));
    const started = await ask(subject, `POST /v1.41/containers/${second.id}/start`);
    const because = 'a port that is taken is no failure of the engine';
    assert.equal(started.status, differs(subject, { berth: 409, dockerd: 500, because }));
    assert.match(
      started.json().message,
      new RegExp(`Bind for 0.0.0.0:${port} failed: port is already alloc`),
    );
    const { State } = await second.inspect();
    assert.deepEqual([State.Status, State.ExitCode], ['created', 128]);
    assert.match(State.Error, /port is already allocated/);
    await using third = await run(subject, 'sleep 60', publishing({ '80/tcp': at(`${port}-${port + 20}`) }));
    const found = Number((await portsOf(third))['80/tcp'][0].HostPort);
    assert.ok(found > port && found <= port + 20);
  },
  'ports that are none are refused at the create': async (subject) => {
    for (const [bindings, word] of [
      [{ '80/tcp': at('x') }, 'x'],
      [{ 'x/tcp': at('1') }, 'x'],
      [{ '80/tcp': at('70000') }, '70000'],
      [{ '80/tcp': at('90-80') }, '90-80'],
      [{ '70000/tcp': at('1') }, '70000'],
      [{ '80-82/tcp': at('9080-9082') }, '80-82'],
      [{ '80/tcp': at('-1') }, '-1'],
    ] as const) {
      const { status, message } = await refusal(subject, { HostConfig: { PortBindings: bindings } });
      assert.deepEqual([status, message], [400, `invalid port specification: "${word}"`]);
    }
    for (const bindings of [
      { '80/foo': at('1') },
      { '0/tcp': at('1') },
      { '80/tcp': at('1', 'nope') },
      { '80/tcp': at('1', '[::1]') },
    ]) {
      const { status } = await refusal(subject, { HostConfig: { PortBindings: bindings } });
      const because = 'dockerd publishes none of them, or at all addresses what was meant for one';
      assert.equal(status, differs(subject, { berth: 400, dockerd: 201, because }), JSON.stringify(bindings));
    }
  },
  'nothing is published of containers without a network of their own that leads out': async (subject) => {
    const bindings = { '80/tcp': at('') };
    for (const NetworkMode of ['none', 'host']) {
      await using made = await run(subject, 'sleep 60', publishing(bindings, { NetworkMode }));
      const shown = await portsOf(made);
      assert.deepEqual(shown['80/tcp'] ?? null, null);
    }
    const hosts = { Image: 'busybox', ...publishing(bindings, { NetworkMode: 'host' }) };
    const created = (await ask(subject, 'POST /v1.41/containers/create', { body: hosts })).json();
    assert.match(created.Warnings.join(), /Published ports are discarded when using host network mode/);
    await ask(subject, `DELETE /v1.41/containers/${created.Id}`);
    await using other = await run(subject, 'sleep 60');
    for (const more of [{ PortBindings: bindings }, { PublishAllPorts: true }]) {
      const { status, message } = await refusal(subject, {
        HostConfig: { NetworkMode: `container:${other.name}`, ...more },
      });
      assert.equal(status, 400);
      assert.match(message, /^conflicting options: port publishing and the container type network mode/);
    }
  },
};
