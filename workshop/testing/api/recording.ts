import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * What the cases of the API suite ask and look at, noted while they run: docs/compatibility.md is written from it.
 * A case says nothing of it. `wire.ts` notes each request with its query and body, and hands out answers that note
 * which of their fields a case reads.
 */

/** Where the oracle answers something else. */
export type Difference = {
  readonly berth: unknown;
  readonly dockerd: unknown;
  readonly because: string;
  /** The route that it is about: `POST /containers/create`. Where it is not given, the one asked last. */
  readonly of?: string;
};

export type Asked = {
  /** `GET /v1.41/containers/json?all=1`. */
  readonly line: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  status: number;
  /** The answer's text where it was refused. */
  refusal: string;
  /** Paths of the fields in the answer, and of those that the case read: `State.Pid`, `Mounts[].Source`. */
  readonly given: Set<string>;
  readonly read: Set<string>;
};

/** What one case noted. */
export type Notes = {
  readonly title: string;
  readonly asked: Asked[];
  readonly differences: { readonly difference: Difference; readonly last: Asked | undefined }[];
};

const current = new AsyncLocalStorage<Notes>();

/** Runs a case; gives what it noted, once it has passed. Throws what the case throws. */
export async function recorded(title: string, run: () => Promise<void>): Promise<Notes> {
  const notes: Notes = { title, asked: [], differences: [] };
  await current.run(notes, run);
  return notes;
}

/** Notes a request that is about to be sent. Nothing is noted where no case is recorded. */
export function noteRequest(line: string, headers: Asked['headers'], body: unknown): Asked | undefined {
  const notes = current.getStore();
  if (notes === undefined) return undefined;
  const asked: Asked = { line, headers, body, status: 0, refusal: '', given: new Set(), read: new Set() };
  notes.asked.push(asked);
  return asked;
}

export function noteDifference(difference: Difference): void {
  const notes = current.getStore();
  notes?.differences.push({ difference, last: notes.asked.at(-1) });
}

/** Notes the fields of an answer. */
export function noteGiven(asked: Asked | undefined, value: unknown, path = ''): void {
  if (asked === undefined || typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    const inside = Array.isArray(value) ? listOf(path) : join(path, name);
    if (!Array.isArray(value)) asked.given.add(inside);
    noteGiven(asked, inner, inside);
  }
}

/** The answer, noting what is read of it. */
export function watched<T>(asked: Asked | undefined, value: T, path = ''): T {
  if (asked === undefined || typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    ownKeys: (target) => {
      // Who asks for the names alone learns which fields there are.
      if (!Array.isArray(target)) for (const name of Object.keys(target)) asked.read.add(join(path, name));
      return Reflect.ownKeys(target);
    },
    get: (target, name, receiver) => {
      // Writing all of it into a message is not looking at it.
      if (name === 'toJSON') return () => target;
      const inner = Reflect.get(target, name, receiver);
      if (typeof name === 'symbol' || !Object.hasOwn(target, name)) return inner;
      const inside = Array.isArray(target) ? listOf(path) : join(path, name);
      asked.read.add(inside);
      return watched(asked, inner, inside);
    },
  });
}

const join = (path: string, name: string) => (path === '' ? name : `${path}.${name}`);
/** The elements of the answer's own list have no name. */
const listOf = (path: string) => (path === '' ? '' : `${path}[]`);
