import assert from 'node:assert/strict';
import test, { before } from 'node:test';
import { startEngine } from '../workshop/testing/engine.ts';
import { loadBusybox, peerMissing, startPodman } from '../workshop/testing/peers.ts';
import { buildDashboard, openDashboard, prepareEngine } from './testing/dashboard.ts';

before(buildDashboard);

test('the dashboard lists, follows and changes containers and images of podman', {
  skip: await peerMissing('podman'),
}, async () => {
  await using podman = await startPodman();
  assert.ok(podman);
  await loadBusybox(podman.host);
  const engine = prepareEngine(podman.host);
  await using terminal = openDashboard(podman.host);
  await terminal.waitFor('no containers yet');
  await terminal.waitFor('Podman 4.');
  const id = await engine.run('guest', ['sh', '-c', 'echo ready; echo oops >&2; sleep 1000']);
  await terminal.waitFor(/▸ ● guest .* Up Less than a minute/);
  await terminal.waitFor(/ready\n oops/);
  terminal.send('i');
  await terminal.waitFor(new RegExp(` Id +${id}`));
  terminal.send('s');
  await terminal.waitFor(/▸ ✗ guest .* Exited \(137\)/);
  terminal.send('S');
  await terminal.waitFor(/▸ ● guest .* Up /);
  terminal.send('r');
  await terminal.waitFor('Restarting…');
  await terminal.waitFor(/▸ ● guest .* Up /);
  terminal.send('d');
  await terminal.waitFor('Remove container guest? It is running and will be killed.');
  terminal.send('y');
  await terminal.waitFor('no containers yet');
  terminal.send('2');
  await terminal.waitFor(/▸ ▪ docker.io\/library\/busybox/);
  terminal.send('dy');
  await terminal.waitFor('no images yet');
  engine.client.close();
});

test("the dashboard follows berth's own engine, and finds it again after it was killed", async () => {
  await using berth = await startEngine();
  const engine = prepareEngine(berth.host);
  await using terminal = openDashboard(berth.host);
  await terminal.waitFor('no containers yet');
  await terminal.waitFor('Berth ');
  const script = 'n=0; while true; do n=$((n+1)); echo "line $n"; sleep 0.2; done';
  await engine.run('steady', ['sh', '-c', script]);
  await engine.run('other', ['true'], { wait: true });
  await terminal.waitFor(/○ other .* Exited \(0\) Less than a minute ago/);
  await terminal.waitFor(/▸ ● steady .* Up Less than a minute/);
  await terminal.waitFor(/line 2\n line 3/);
  await berth.kill();
  await terminal.waitFor('connection lost');
  await berth.start();
  await terminal.waitFor('connected again');
  await terminal.waitFor(/▸ ● steady .* Up Less than a minute/);
  // Room for all lines at once: none is missing, and none came twice.
  terminal.resize(100, 500);
  const screen = await terminal.waitFor(/line 1\n[\s\S]*line 20\n/);
  const lines = [...screen.matchAll(/line (\d+)$/gm)].map((match) => Number(match[1]));
  assert.deepEqual(
    lines,
    lines.map((_line, index) => index + 1),
  );
  terminal.resize(100, 24);
  terminal.send('s');
  await terminal.waitFor(/▸ ✗ steady .* Exited \(137\)/);
  terminal.send('S');
  await terminal.waitFor(/▸ ● steady .* Up /);
  terminal.send('dy');
  await terminal.waitFor((screen) => !screen.includes('steady'));
  terminal.send('2');
  await terminal.waitFor(/▸ ▪ busybox +latest/);
});
