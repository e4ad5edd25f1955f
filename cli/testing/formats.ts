import assert from 'node:assert/strict';
import { execa } from 'execa';
import { createClient, parseHost } from '../../engine/client/index.ts';
import { FormatError } from '../format-error.ts';
import { fillInspected, parseTemplate } from '../template.ts';
import type { Ended } from './berth.ts';
import { findDocker } from './docker.ts';
import { commandLines, imageTemplates, inspectTemplates } from './format-table.ts';
import { type Behaviours, containerOf, type Given } from './given.ts';

/** Tries each item, a few at once, and collects what is wrong with any. */
async function tryAll<T>(
  items: readonly T[],
  check: (item: T) => Promise<string | undefined>,
): Promise<void> {
  const wrong: string[] = [];
  const queue = items.values();
  const work = async () => {
    for (const item of queue) {
      const said = await check(item);
      if (said !== undefined) wrong.push(said);
    }
  };
  await Promise.all(Array.from({ length: 3 }, work));
  assert.equal(wrong.join('\n\n'), '');
}

function runner(program: string, { berth, host }: Given) {
  return async (args: readonly string[]): Promise<Ended> => {
    const { exitCode, stdout, stderr } = await execa(program, [...args], {
      // No settings of whoever runs the tests.
      env: { ...berth.env, DOCKER_HOST: host, DOCKER_CONFIG: berth.join('docker-config') },
      extendEnv: false,
      reject: false,
      stripFinalNewline: false,
    });
    return { code: exitCode, stdout, stderr };
  };
}

/** What is said of a template, in the words that both have. */
const problemIn = (stderr: string) => /template: \S*:\d[\s\S]*/.exec(stderr)?.[0].trim().split('\n  try:')[0];

const FLAGS = [
  ...['--label', 'a.b=c', '--label', 'tier=web', '--label', 'com.example.my-name_x=y & z', '-e', 'A=b'],
];

/** What docker's `inspect` prints for a template. */
function filled(template: string, data: unknown, type: string): Ended {
  try {
    return { code: 0, stdout: `${fillInspected(parseTemplate(template), data, { type })}\n`, stderr: '' };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { code: error.exitCode, stdout: '', stderr: error.message };
  }
}

/** Ages are in the words of the moment, and go on between two questions; with them the widths of columns. */
function withoutAges(text: string): string {
  const ageless = text.replace(/\b(?:\d+|About a|Less than a) (?:second|minute)s?\b/g, 'AGE');
  return ageless === text ? text : ageless.replace(/ {2,}/g, '  ');
}

function compare(about: string, berth: Ended, docker: Ended): string | undefined {
  const same =
    berth.code === docker.code &&
    (docker.code !== 0 || withoutAges(berth.stdout) === withoutAges(docker.stdout)) &&
    problemIn(berth.stderr) === problemIn(docker.stderr);
  return same
    ? undefined
    : `${about}\n  berth:  ${JSON.stringify(berth)}\n  docker: ${JSON.stringify(docker)}`;
}

/** The template language, against docker's own. Which engine the data comes from matters little. */
export const templates: Behaviours = {
  'inspect fills in templates as docker does': async (given) => {
    const program = await findDocker();
    if (program === undefined) return;
    const docker = runner(program, given);
    await using container = await containerOf(given, { flags: FLAGS });
    const client = createClient(parseHost(given.host));
    const [data, image] = await Promise.all([
      client.call('containerInspect', { id: container.id }),
      client.call('imageInspect', { name: 'busybox' }),
    ]);
    client.close();
    await tryAll(inspectTemplates, async (template) => {
      const said = await docker(['inspect', '-f', template, container.name]);
      return compare(template, filled(template, data, 'container.InspectResponse'), said);
    });
    await tryAll(imageTemplates, async (template) => {
      const said = await docker(['image', 'inspect', '-f', template, 'busybox']);
      return compare(template, filled(template, image, 'image.InspectResponse'), said);
    });
  },
};

/** `--format`: the same bytes as docker's command line prints on the same engine. */
export const formats: Behaviours = {
  'commands print by a format what docker prints': async (given) => {
    const program = await findDocker();
    if (program === undefined) return;
    const docker = runner(program, given);
    await using container = await containerOf(given, { flags: FLAGS });
    const words: Readonly<Record<string, string>> = {
      CONTAINER: container.name,
      FILTER: `name=${container.name}`,
      EVENTS: `container=${container.id}`,
    };
    await tryAll(commandLines, async (line) => {
      const args = line.map((word) => words[word] ?? word);
      const [berth, said] = await Promise.all([given.berth.run(args, { host: given.host }), docker(args)]);
      return compare(args.join(' '), berth, said);
    });
  },
};
