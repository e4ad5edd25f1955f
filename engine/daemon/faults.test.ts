import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { startEngine, type TestEngine } from '../../workshop/testing/engine.ts';
import { held } from '../../workshop/testing/held.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { createBody } from '../api/create.ts';
import { findProgram } from '../host/programs.ts';

/**
 * The programs that the engine relies on die: the OCI runtime right before or right after it did what it was told (a
 * start is done without it), conmon before the container was made, when it was, and while it watches it. Scripts of their names stand before them on the
 * engine's PATH and do so once, when a file says when.
 */

const moments = [
  'create before',
  'create after',
  'delete before',
  'delete after',
  'conmon before',
  'conmon after create',
  'conmon at delete',
] as const;

/** Without a PID namespace of its own, and with a process that outlives its first: the runtime is told to delete it. */
const LINGERING = {
  Cmd: ['sh', '-c', '(sleep 1000 >/dev/null 2>&1 &); echo up; exec sleep 1000'],
  HostConfig: { PidMode: 'host' },
};

const SCRIPT = (program: string, due: string, runDir: string) => `#!/bin/sh
moment=$(cat ${due} 2>/dev/null)
command=
for word; do case $word in create|start|delete) command=$word; break;; esac; done
for id; do :; done
[ "$(basename "$0")" != conmon ] || command=conmon
case $moment in
  "$command before") rm ${due}; kill -9 $$ ;;
  "$command after") rm ${due}; ${program} "$@"; kill -9 $$ ;;
  "conmon after $command") rm ${due}; ${program} "$@"; kill -9 "$(cat ${runDir}/containers/$id/conmon.pid)"; exit ;;
  "conmon at $command") rm ${due}; kill -9 "$(cat ${runDir}/containers/$id/conmon.pid)" ;;
esac
exec ${program} "$@"
`;

test('an engine whose runtime or monitor is killed at any moment says so or goes on, and leaves nothing', async (t) => {
  await using root = await tempRoot('faults');
  const due = root.join('due');
  await root.directory('bin');
  const env = { PATH: `${root.join('bin')}:${process.env.PATH}` };
  const real = {
    crun: await findProgram('crun'),
    runc: await findProgram('runc'),
    conmon: await findProgram('conmon'),
  };
  await using engine = await startEngine({
    env,
    beforeStart: ({ runDir }) => {
      for (const [name, program] of Object.entries(real))
        if (program !== undefined)
          writeFileSync(root.join('bin', name), SCRIPT(program, due, runDir), { mode: 0o755 });
    },
  });
  for (const moment of moments) {
    await t.test(moment, async () => {
      writeFileSync(due, moment);
      const told = await liveThrough(engine, moment.includes('delete') ? LINGERING : {});
      assert.equal(existsSync(due), false, 'it was killed');
      if (told !== undefined) assert.match(told, /\S/);
      t.diagnostic(`${moment}: ${told ?? 'it went on'}`);
      // What could not be taken away by a runtime that died is, at the latest, by the next engine.
      await engine.kill();
      await engine.start();
      const all = await engine.client.call('containerList', { all: true });
      for (const { Id, State } of all) assert.ok(['created', 'exited'].includes(State), `${Id} is ${State}`);
      const { directories, ...ofRuns } = held(engine);
      assert.deepEqual(
        directories,
        all.map(({ Id }) => Id),
      );
      for (const [what, ids] of Object.entries(ofRuns)) assert.deepEqual(ids, [], what);
      for (const { Id } of all) await engine.client.act('containerRemove', { id: Id });
      assert.deepEqual(held(engine).directories, []);
      assert.equal(await liveThrough(engine), undefined, 'the next container lives as if nothing had been');
    });
  }
});

/** A container's whole life; gives what it was told where something failed. */
async function liveThrough({ client }: TestEngine, more: object = {}): Promise<string | undefined> {
  try {
    const { Id: id } = await client.call(
      'containerCreate',
      {},
      { body: { ...createBody('busybox', ['sleep', '1000'], {}), ...more } },
    );
    await client.act('containerStart', { id });
    if ('Cmd' in more) {
      const said = await client.bytes('containerLogs', { id, follow: true, stdout: true });
      await once(said, 'data');
      said.destroy();
    }
    await client.act('containerStop', { id, timeout: 0 });
    await client.act('containerRemove', { id });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
