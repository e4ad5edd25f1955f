import type { Entry } from './entry.ts';
import { networkEntries } from './networks.ts';
import { volumeEntries } from './volumes.ts';

/** Every command, in the order in which help lists them. Each is loaded only when it is used. */
export const entries: readonly Entry[] = [
  {
    names: ['run', 'container run'],
    summary: 'Create a container from an image and start it',
    group: 'Containers',
    load: () => import('./run.ts'),
  },
  {
    names: ['create', 'container create'],
    summary: 'Create a container without starting it',
    group: 'Containers',
    load: () => import('./create.ts'),
  },
  {
    names: ['start', 'container start'],
    summary: 'Start containers',
    group: 'Containers',
    load: () => import('./start.ts'),
  },
  {
    names: ['stop', 'container stop'],
    summary: 'Stop containers: their stop signal, and a kill after the timeout',
    group: 'Containers',
    load: () => import('./stop.ts'),
  },
  {
    names: ['restart', 'container restart'],
    summary: 'Stop containers and start them again',
    group: 'Containers',
    load: () => import('./restart.ts'),
  },
  {
    names: ['kill', 'container kill'],
    summary: 'Send a signal to running containers',
    group: 'Containers',
    load: () => import('./kill.ts'),
  },
  {
    names: ['pause', 'container pause'],
    summary: 'Freeze all processes of containers',
    group: 'Containers',
    load: () => import('./pause.ts'),
  },
  {
    names: ['unpause', 'container unpause'],
    summary: 'Let paused containers go on',
    group: 'Containers',
    load: () => import('./unpause.ts'),
  },
  {
    names: ['update', 'container update'],
    summary: 'Change limits and restart policy of containers',
    group: 'Containers',
    load: () => import('./update.ts'),
  },
  {
    names: ['rename', 'container rename'],
    summary: 'Give a container another name',
    group: 'Containers',
    load: () => import('./rename.ts'),
  },
  {
    names: ['container prune'],
    summary: 'Remove all containers that do not run',
    group: 'Containers',
    load: () => import('./container-prune.ts'),
  },
  {
    names: ['rm', 'container rm', 'container remove'],
    summary: 'Remove containers',
    group: 'Containers',
    load: () => import('./rm.ts'),
  },
  {
    names: ['ps', 'container ls', 'container list', 'container ps'],
    summary: 'List containers',
    group: 'Containers',
    load: () => import('./ps.ts'),
  },
  {
    names: ['logs', 'container logs'],
    summary: 'Show what a container wrote',
    group: 'Containers',
    load: () => import('./logs.ts'),
  },
  {
    names: ['stats', 'container stats'],
    summary: 'Show what containers use: processor, memory, network, disk',
    group: 'Containers',
    load: () => import('./stats.ts'),
  },
  {
    names: ['top', 'container top'],
    summary: 'Show the processes of a container',
    group: 'Containers',
    load: () => import('./top.ts'),
  },
  {
    names: ['port', 'container port'],
    summary: 'Show the published ports of a container',
    group: 'Containers',
    load: () => import('./port.ts'),
  },
  {
    names: ['attach', 'container attach'],
    summary: "Connect this terminal to a running container's streams",
    group: 'Containers',
    load: () => import('./attach.ts'),
  },
  {
    names: ['exec', 'container exec'],
    summary: 'Run a program in a running container',
    group: 'Containers',
    load: () => import('./exec.ts'),
  },
  {
    names: ['wait', 'container wait'],
    summary: 'Wait until containers stop, and print their exit codes',
    group: 'Containers',
    load: () => import('./wait.ts'),
  },
  {
    names: ['cp', 'container cp'],
    summary: 'Copy files between a container and here',
    group: 'Containers',
    load: () => import('./cp.ts'),
  },
  {
    names: ['diff', 'container diff'],
    summary: "Show how a container's files differ from its image's",
    group: 'Containers',
    load: () => import('./diff.ts'),
  },
  {
    names: ['export', 'container export'],
    summary: 'Write all files of a container to a tar archive',
    group: 'Containers',
    load: () => import('./export.ts'),
  },
  {
    names: ['commit', 'container commit'],
    summary: 'Make an image of a container',
    group: 'Containers',
    load: () => import('./commit.ts'),
  },
  {
    names: ['inspect'],
    summary: 'Show all about containers and images',
    group: 'Containers',
    load: () => import('./inspect.ts'),
  },
  {
    names: ['container inspect'],
    summary: 'Show all about containers',
    group: 'Containers',
    load: () => import('./container-inspect.ts'),
  },
  {
    names: ['pull', 'image pull'],
    summary: 'Pull an image from a registry',
    group: 'Images',
    load: () => import('./pull.ts'),
  },
  {
    names: ['push', 'image push'],
    summary: 'Push an image to a registry',
    group: 'Images',
    load: () => import('./push.ts'),
  },
  {
    names: ['save', 'image save'],
    summary: 'Write images into an archive',
    group: 'Images',
    load: () => import('./save.ts'),
  },
  {
    names: ['load', 'image load'],
    summary: 'Load images from an archive',
    group: 'Images',
    load: () => import('./load.ts'),
  },
  {
    names: ['search'],
    summary: 'Search a registry for images',
    group: 'Images',
    load: () => import('./search.ts'),
  },
  {
    names: ['manifest inspect'],
    summary: 'Show the manifest that a registry has for an image',
    group: 'Images',
    load: () => import('./manifest-inspect.ts'),
  },
  {
    names: ['login'],
    summary: 'Log in at a registry',
    group: 'Images',
    load: () => import('./login.ts'),
  },
  {
    names: ['logout'],
    summary: 'Forget a login at a registry',
    group: 'Images',
    load: () => import('./logout.ts'),
  },
  {
    names: ['images', 'image ls', 'image list'],
    summary: 'List images',
    group: 'Images',
    load: () => import('./images.ts'),
  },
  {
    names: ['rmi', 'image rm', 'image remove'],
    summary: 'Remove images',
    group: 'Images',
    load: () => import('./rmi.ts'),
  },
  {
    names: ['tag', 'image tag'],
    summary: 'Give an image another name',
    group: 'Images',
    load: () => import('./tag.ts'),
  },
  {
    names: ['history', 'image history'],
    summary: 'Show how an image came to be',
    group: 'Images',
    load: () => import('./history.ts'),
  },
  {
    names: ['import', 'image import'],
    summary: 'Make an image of a tar archive of a file system',
    group: 'Images',
    load: () => import('./import.ts'),
  },
  {
    names: ['image prune'],
    summary: 'Remove images that nothing uses',
    group: 'Images',
    load: () => import('./image-prune.ts'),
  },
  {
    names: ['image inspect'],
    summary: 'Show all about images',
    group: 'Images',
    load: () => import('./image-inspect.ts'),
  },
  {
    names: ['registry serve'],
    summary: "Serve this engine's images as a registry",
    group: 'Images',
    load: () => import('./registry-serve.ts'),
  },
  {
    names: ['registry passwd'],
    summary: "Write a password for the engine's registry",
    group: 'Images',
    load: () => import('./registry-passwd.ts'),
  },
  ...networkEntries,
  ...volumeEntries,
  {
    names: ['events', 'system events'],
    summary: 'Follow what happens in the engine',
    group: 'Engine',
    load: () => import('./events.ts'),
  },
  {
    names: ['info', 'system info'],
    summary: 'Show what the engine runs on and holds',
    group: 'Engine',
    load: () => import('./info.ts'),
  },
  {
    names: ['system df'],
    summary: 'Show how much of the disk is held',
    group: 'Engine',
    load: () => import('./system-df.ts'),
  },
  {
    names: ['system check'],
    summary: 'Look whether all that is kept is whole, and repair it',
    group: 'Engine',
    load: () => import('./system-check.ts'),
  },
  {
    names: ['system prune'],
    summary: 'Remove what nothing uses',
    group: 'Engine',
    load: () => import('./system-prune.ts'),
  },
  {
    names: ['version'],
    summary: 'Show the versions of the command line and the engine',
    group: 'Engine',
    load: () => import('./version.ts'),
  },
  {
    names: ['engine start'],
    summary: 'Start the engine in the background',
    group: 'Engine',
    load: () => import('./engine-start.ts'),
  },
  {
    names: ['engine stop'],
    summary: 'Stop the engine; containers go on running',
    group: 'Engine',
    load: () => import('./engine-stop.ts'),
  },
  {
    names: ['engine status'],
    summary: 'Show whether the engine runs, and where',
    group: 'Engine',
    load: () => import('./engine-status.ts'),
  },
  {
    names: ['engine logs'],
    summary: "Show the engine's own log",
    group: 'Engine',
    load: () => import('./engine-logs.ts'),
  },
  {
    names: ['engine run'],
    summary: 'Run the engine in the foreground',
    group: 'Engine',
    load: () => import('./engine-run.ts'),
  },
  { names: ['ui'], summary: 'Open the dashboard', group: 'Faces', load: () => import('./ui.ts') },
  {
    names: ['mcp'],
    summary: 'Serve tools to an assistant over MCP',
    group: 'Faces',
    load: () => import('./mcp.ts'),
  },
];

/** The first words of commands that have two: `container`, `image`, `engine`, `system`. */
export const families: ReadonlySet<string> = new Set(
  entries.flatMap(({ names }) =>
    names.filter((name) => name.includes(' ')).map((name) => name.split(' ')[0] ?? ''),
  ),
);

export type Found = { readonly entry: Entry; readonly name: string; readonly rest: readonly string[] };

/** The command that the words begin with, and the words after it. */
export function findCommand(words: readonly string[]): Found | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const entry = entries.find(({ names }) => words.length >= length && names.includes(name));
    if (entry !== undefined) return { entry, name, rest: words.slice(length) };
  }
  return undefined;
}
