import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { decodeFrames } from '../../../engine/api/multiplex.ts';
import { ask, begin, type Loose, type Subject } from './wire.ts';

/** Containers that a case makes, each removed at the case's end whatever became of it. */
export type Made = AsyncDisposable & {
  readonly id: string;
  readonly name: string;
  readonly start: () => Promise<void>;
  /** Its exit code, once it has ended. */
  readonly ended: () => Promise<number>;
  readonly inspect: () => Promise<Loose>;
};

export const uniqueName = (what = 'case') => `${what}-${randomBytes(4).toString('hex')}`;

/** What of a body has to do with the container's network, or with the names it gives. */
const OF_NETWORKS =
  /^(?:NetworkMode|NetworkingConfig|Network|Ports?|PortBindings|PublishAllPorts|ExposedPorts)$|^(?:Hostname|Domainname|MacAddress|Links|Dns|DnsSearch|DnsOptions|ExtraHosts|Sysctls|UTSMode|UsernsMode)$/;

/** In the body of a container whose case looks at the network that it has where nothing is said. */
export const NETWORKED = { Domainname: '' } as const;

/**
 * dockerd starts itself once more for each network namespace, a third of its processor time for a container: one of
 * which a case says nothing of networks gets the host's there.
 */
function cheaper(subject: Subject, body: Readonly<Record<string, unknown>>): unknown {
  const host = (body.HostConfig ?? {}) as Readonly<Record<string, unknown>>;
  const saysNetwork = [...Object.keys(body), ...Object.keys(host)].some((key) => OF_NETWORKS.test(key));
  if (subject.name !== 'dockerd' || saysNetwork) return body;
  return { ...body, HostConfig: { ...host, NetworkMode: 'host' } };
}

/** Creates a container of busybox. `more` is what else stands in the body. */
export async function make(
  subject: Subject,
  command: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<Made> {
  const name = uniqueName();
  const created = await ask(subject, `POST /v1.41/containers/create?name=${name}`, {
    body: cheaper(subject, { Image: 'busybox', Cmd: command, ...more }),
  });
  if (created.status !== 201) throw new Error(`create: ${created.status} ${created.text}`);
  const id = created.json().Id as string;
  return {
    id,
    name,
    start: async () => {
      const started = await ask(subject, `POST /v1.41/containers/${id}/start`);
      if (started.status !== 204) throw new Error(`start: ${started.status} ${started.text}`);
    },
    ended: async () => (await ask(subject, `POST /v1.41/containers/${id}/wait`)).json().StatusCode,
    inspect: async () => (await ask(subject, `GET /v1.41/containers/${id}/json`)).json(),
    [Symbol.asyncDispose]: async () => {
      const removed = await ask(subject, `DELETE /v1.41/containers/${id}?force=1&v=1`);
      // 404: it removed itself. 409: it is doing so.
      if (![204, 404, 409].includes(removed.status)) throw new Error(`remove: ${removed.text}`);
    },
  };
}

/** Creates and starts one, with `sh -c SCRIPT`. */
export async function run(
  subject: Subject,
  script: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Made> {
  const made = await make(subject, ['sh', '-c', script], more);
  await made.start();
  return made;
}

/** Creates, starts and waits for its end. */
export async function ran(
  subject: Subject,
  script: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Made> {
  const made = await run(subject, script, more);
  await made.ended();
  return made;
}

/** What a container that runs `sh -c SCRIPT` to its end says on both streams, in lines without the last line's end. */
export async function said(
  subject: Subject,
  script: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<readonly string[]> {
  await using made = await ran(subject, script, more);
  return await linesOf(subject, made.id);
}

/** What a container has said until now. */
export async function linesOf(subject: Subject, id: string): Promise<readonly string[]> {
  const { body } = await begin(subject, `GET /v1.41/containers/${id}/logs?stdout=1&stderr=1`);
  const pieces: Buffer[] = [];
  for await (const { data } of decodeFrames(Readable.from([await body]))) pieces.push(data);
  return Buffer.concat(pieces).toString('utf8').replace(/\n$/, '').split('\n');
}

/** What is said to a create, where it is refused; removes what it made where it is not. */
export async function refusal(
  subject: Subject,
  more: Readonly<Record<string, unknown>>,
): Promise<{ readonly status: number; readonly message: string }> {
  const created = await ask(subject, 'POST /v1.41/containers/create', {
    body: { Image: 'busybox', Cmd: ['true'], ...more },
  });
  if (created.status === 201) await ask(subject, `DELETE /v1.41/containers/${created.json().Id}?force=1&v=1`);
  return { status: created.status, message: created.json().message ?? '' };
}
