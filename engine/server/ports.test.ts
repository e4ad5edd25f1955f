import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test from 'node:test';
import { startEngine } from '../../workshop/testing/engine.ts';

/** Says a word to who says it back. */
async function echo(socket: Socket, word: string): Promise<string> {
  socket.write(word);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

test('a published port goes on while the engine is killed, and is the same after its next start', async () => {
  await using engine = await startEngine();
  const body = {
    Image: 'busybox',
    Cmd: ['nc', '-ll', '-p', '80', '-e', 'cat'],
    ExposedPorts: { '80/tcp': {} },
    HostConfig: { PublishAllPorts: true },
  };
  const { Id: id } = await engine.client.call('containerCreate', {}, { body });
  await engine.client.call('containerStart', { id });
  const published = async () =>
    (await engine.client.call('containerInspect', { id })).NetworkSettings.Ports?.['80/tcp'];
  const before = await published();
  const port = Number(before?.[0]?.HostPort);
  const open = async (host: string): Promise<Socket> => {
    for (;;) {
      const socket = connect({ host, port });
      try {
        await once(socket, 'connect');
        assert.equal(await echo(socket, 'first'), 'first');
        return socket;
      } catch (error) {
        // Its program may not listen yet.
        if (!/ECONNREFUSED|ECONNRESET/.test(String(error))) throw error;
      }
    }
  };
  const early = await open('127.0.0.1');
  await engine.kill();
  assert.equal(await echo(early, 'still'), 'still');
  const amid = await open('127.0.0.1');
  await engine.start();
  assert.deepEqual(await published(), before);
  assert.equal(await echo(early, 'yet'), 'yet');
  assert.equal(await echo(amid, 'too'), 'too');
  const late = await open('::1');
  for (const socket of [early, amid, late]) socket.destroy();
});
