import { randomBytes } from 'node:crypto';
import { ask, type Loose, type Subject } from './wire.ts';

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

/** Creates a container of busybox. `more` is what else stands in the body. */
export async function make(
  subject: Subject,
  command: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<Made> {
  const name = uniqueName();
  const created = await ask(subject, `POST /v1.41/containers/create?name=${name}`, {
    body: { Image: 'busybox', Cmd: command, ...more },
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
