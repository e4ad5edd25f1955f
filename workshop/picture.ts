import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createBody } from '../engine/api/create.ts';
import { buildDashboard } from '../tui/testing/dashboard.ts';
import { frameToSvg } from './picture/svg.ts';
import { startEngine } from './testing/engine.ts';
import { busyboxImage, pushImage } from './testing/images.ts';
import { startRegistry } from './testing/registry.ts';
import { openTerminal } from './testing/terminal.ts';

/**
 * Draws docs/dashboard.svg: the dashboard as it is, in a pseudo-terminal, with an engine that runs a small shop.
 * `node workshop/picture.ts`, as root. Everything in it is fixed, so that only a change of the dashboard
 * changes the picture.
 */

const ROOT = resolve(import.meta.dirname, '..');
const COLUMNS = 112;
const ROWS = 30;

/** What the log of the selected container shows. */
const REQUESTS = [
  ['09:26:51', 'GET', '/', '200', '4 ms'],
  ['09:26:51', 'GET', '/style.css', '304', '1 ms'],
  ['09:26:58', 'GET', '/products?sort=new', '200', '18 ms'],
  ['09:27:03', 'POST', '/cart', '201', '9 ms'],
  ['09:27:04', 'GET', '/cart', '200', '6 ms'],
  ['09:27:20', 'POST', '/orders', '500', '212 ms'],
  ['09:27:21', 'POST', '/orders', '201', '34 ms'],
  ['09:27:22', 'GET', '/orders/1482', '200', '7 ms'],
  ['09:27:40', 'GET', '/favicon.ico', '404', '1 ms'],
] as const;

function logScript(): string {
  const lines = REQUESTS.map(([time, method, path, status, took]) => {
    const colour = status.startsWith('5') ? 31 : status.startsWith('4') ? 35 : 32;
    return `\\033[2m${time}\\033[0m ${method.padEnd(4)} ${path.padEnd(20)} \\033[${colour}m${status}\\033[0m ${took}\\n`;
  });
  return `printf '${lines.join('')}'; exec sleep 3600`;
}

type Shown = {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  /** What is awaited after it started; without it it is only created. */
  readonly until?: 'running' | 'ended';
};

const shown: readonly Shown[] = [
  { name: 'postgres', image: 'shop/postgres:16', command: ['sleep', '3600'], until: 'running' },
  { name: 'migrate', image: 'shop/api:1.4', command: ['true'], until: 'ended' },
  { name: 'api', image: 'shop/api:1.4', command: ['sleep', '3600'], until: 'running' },
  { name: 'mail-worker', image: 'shop/worker:1.4', command: ['sh', '-c', 'exit 3'], until: 'ended' },
  { name: 'web', image: 'shop/web:1.4', command: ['sh', '-c', logScript()], until: 'running' },
  { name: 'web-next', image: 'shop/web:1.5-rc1', command: ['sh', '-c', 'serve'] },
];

await buildDashboard();
await using registry = await startRegistry();
await using engine = await startEngine({
  busybox: false,
  settings: { registries: { mirrors: [registry.url] } },
});
const { client } = engine;
const busybox = await busyboxImage();
for (const image of new Set(shown.map((one) => one.image))) {
  const [name = '', tag = ''] = image.split(':');
  await pushImage({ registry, name, tag, ...busybox });
  for await (const _line of client.lines('imagePull', { fromImage: name, tag }));
}
for (const { name, image, command, until } of shown) {
  const body = createBody(image, command, {});
  const { Id: id } = await client.call('containerCreate', { name }, { body });
  if (until !== undefined) await client.act('containerStart', { id });
  if (until === 'ended') await client.call('containerWait', { id });
}

// The picture shows the socket where everyone has it; in a mount namespace of its own it can stand there.
const place = 'mount -t tmpfs none /run && mkdir /run/berth && ln -s "$1" /run/berth/berth.sock';
const start = 'exec "$2" "$3" --host unix:///run/berth/berth.sock';
await using terminal = openTerminal({
  command: [
    ...['unshare', '--mount', 'sh', '-c', `${place} && ${start}`, 'sh'],
    ...[engine.socketPath, process.execPath, join(ROOT, 'tui/testing/run.ts')],
  ],
  columns: COLUMNS,
  rows: ROWS,
});
await terminal.waitFor(/▸ ◌ web-next/);
terminal.send('j');
await terminal.waitFor('/favicon.ico');
await mkdir(join(ROOT, 'docs'), { recursive: true });
const svg = frameToSvg(terminal.cells(), { columns: COLUMNS, rows: ROWS, title: 'berth ui' });
await writeFile(join(ROOT, 'docs/dashboard.svg'), svg);
terminal.send('q');
await terminal.exited;
process.stdout.write('wrote docs/dashboard.svg\n');
