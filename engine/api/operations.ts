import { boolean, type Field, type Fields, filters, integer, string, type ValuesOf } from './fields.ts';
import type {
  ContainerInspect,
  ContainerSummary,
  CreateContainerBody,
  EventMessage,
  ImageDeleted,
  ImageInspect,
  ImageSummary,
  ProgressLine,
  SystemInfo,
  VersionInfo,
  WaitResult,
} from './wire.ts';

/** How an answer comes: one JSON value, none, JSON lines as they happen, or a byte stream (attach, logs). */
export type Answer = 'json' | 'none' | 'lines' | 'bytes';
export type Method = 'GET' | 'POST' | 'DELETE';

/**
 * A thing the engine can be asked. The server's routes and validation, the typed client and the reference
 * pages are read from this table; CLI and MCP take names, summaries and limits of parameters from it.
 * Parameters of `path` stand in braces; a `{name*}` may hold slashes.
 */
export type Operation = {
  readonly id: string;
  readonly summary: string;
  readonly method: Method;
  readonly path: string;
  readonly query: Fields;
  readonly answer: Answer;
  /** Whether a JSON body is read. */
  readonly body: boolean;
};

type Definition = {
  readonly summary: string;
  readonly route: `${Method} /${string}`;
  readonly query?: Fields;
  readonly answer?: Answer;
  readonly body?: boolean;
};

type Entry<D extends Definition, R, B> = Omit<Operation, 'id' | 'path' | 'query' | 'answer'> & {
  readonly answer: D extends { readonly answer: infer A extends Answer } ? A : 'json';
  readonly path: D['route'] extends `${Method} ${infer Path}` ? Path : never;
  readonly query: D extends { readonly query: infer Q extends Fields } ? Q : Record<never, Field>;
  /** Types only; never there at run time. */
  readonly types?: { readonly result: R; readonly body: B };
};

/** `R` is the type of the answer (of one line where it comes in lines), `B` that of the body. */
function operation<R = undefined, B = undefined>() {
  return <const D extends Definition>(definition: D): Entry<D, R, B> => {
    const space = definition.route.indexOf(' ');
    return {
      summary: definition.summary,
      method: definition.route.slice(0, space),
      path: definition.route.slice(space + 1),
      query: definition.query ?? {},
      answer: definition.answer ?? 'json',
      body: definition.body ?? false,
    } as Entry<D, R, B>;
  };
}

const outputs = {
  stdin: boolean('Attach to standard input'),
  stdout: boolean('Attach to standard output'),
  stderr: boolean('Attach to standard error'),
};

/** Parameters that several operations and faces share. */
export const shared = {
  all: boolean('Show all, not just the running ones', { short: 'a' }),
  filter: filters('Keep only what matches, as in status=exited', {
    wire: 'filters',
    short: 'f',
    placeholder: 'KEY=VALUE',
  }),
  tail: string('Lines to show from the end of the log, or all', {
    short: 'n',
    pattern: /^(all|-1|\d+)$/,
    placeholder: 'N',
  }),
  timeout: integer('Seconds to wait before killing it; -1 waits for ever', {
    wire: 't',
    short: 't',
    min: -1,
    max: 2 ** 31,
  }),
  signal: string('Signal to send, by name or number', { short: 's', placeholder: 'SIGNAL' }),
  since: string('Only what came after this moment: a time, seconds since 1970, or 10m', {
    placeholder: 'TIME',
  }),
  until: string('Only what came before this moment: a time, seconds since 1970, or 10m', {
    placeholder: 'TIME',
  }),
  platform: string('Operating system and processor, as in linux/arm64', { placeholder: 'OS/ARCH' }),
} as const;

const definitions = {
  ping: operation<string>()({
    summary: 'Ask whether the engine answers',
    route: 'GET /_ping',
    answer: 'bytes',
  }),
  version: operation<VersionInfo>()({
    summary: 'Show the versions of the engine and its parts',
    route: 'GET /version',
  }),
  info: operation<SystemInfo>()({ summary: 'Show what the engine runs on and holds', route: 'GET /info' }),
  events: operation<EventMessage>()({
    summary: 'Follow what happens in the engine',
    route: 'GET /events',
    query: { since: shared.since, until: shared.until, filter: shared.filter },
    answer: 'lines',
  }),

  imagePull: operation<ProgressLine>()({
    summary: 'Pull an image from a registry',
    route: 'POST /images/create',
    query: {
      fromImage: string('Image to pull', { placeholder: 'IMAGE' }),
      tag: string('Tag or digest to pull'),
      platform: shared.platform,
    },
    answer: 'lines',
  }),
  imageList: operation<readonly ImageSummary[]>()({
    summary: 'List images',
    route: 'GET /images/json',
    query: { all: shared.all, filter: shared.filter },
  }),
  imageInspect: operation<ImageInspect>()({
    summary: 'Show all about an image',
    route: 'GET /images/{name*}/json',
  }),
  imageRemove: operation<readonly ImageDeleted[]>()({
    summary: 'Remove an image',
    route: 'DELETE /images/{name*}',
    query: {
      force: boolean('Remove it even if stopped containers use it', { short: 'f' }),
      noprune: boolean('Keep untagged parents'),
    },
  }),

  containerCreate: operation<
    { readonly Id: string; readonly Warnings: readonly string[] },
    CreateContainerBody
  >()({
    summary: 'Create a container without starting it',
    route: 'POST /containers/create',
    query: { name: string('Name for the container', { placeholder: 'NAME' }), platform: shared.platform },
    body: true,
  }),
  containerList: operation<readonly ContainerSummary[]>()({
    summary: 'List containers',
    route: 'GET /containers/json',
    query: {
      all: shared.all,
      limit: integer('Show only the newest ones, whatever their state', {
        short: 'n',
        min: -1,
        placeholder: 'N',
      }),
      size: boolean('Show sizes too', { short: 's' }),
      filter: shared.filter,
    },
  }),
  containerInspect: operation<ContainerInspect>()({
    summary: 'Show all about a container',
    route: 'GET /containers/{id}/json',
    query: { size: boolean('Show sizes too', { short: 's' }) },
  }),
  containerStart: operation()({
    summary: 'Start a container',
    route: 'POST /containers/{id}/start',
    answer: 'none',
  }),
  containerStop: operation()({
    summary: 'Stop a container: its stop signal, and a kill after the timeout',
    route: 'POST /containers/{id}/stop',
    query: { timeout: shared.timeout, signal: shared.signal },
    answer: 'none',
  }),
  containerRestart: operation()({
    summary: 'Restart a container',
    route: 'POST /containers/{id}/restart',
    query: { timeout: shared.timeout, signal: shared.signal },
    answer: 'none',
  }),
  containerKill: operation()({
    summary: 'Send a signal to a running container',
    route: 'POST /containers/{id}/kill',
    query: { signal: shared.signal },
    answer: 'none',
  }),
  containerRemove: operation()({
    summary: 'Remove a container',
    route: 'DELETE /containers/{id}',
    query: {
      force: boolean('Kill it first if it runs', { short: 'f' }),
      volumes: boolean('Remove its anonymous volumes too', { wire: 'v', short: 'v' }),
    },
    answer: 'none',
  }),
  containerResize: operation()({
    summary: "Set the size of a container's terminal",
    route: 'POST /containers/{id}/resize',
    query: {
      height: integer('Rows', { wire: 'h', min: 0, max: 65535 }),
      width: integer('Columns', { wire: 'w', min: 0, max: 65535 }),
    },
    answer: 'none',
  }),
  containerWait: operation<WaitResult>()({
    summary: 'Wait until a container stops, and give its exit code',
    route: 'POST /containers/{id}/wait',
    query: {
      condition: string('What to wait for', { values: ['', 'not-running', 'next-exit', 'removed'] }),
    },
  }),
  containerLogs: operation()({
    summary: 'Show what a container wrote',
    route: 'GET /containers/{id}/logs',
    query: {
      follow: boolean('Go on as it writes more', { short: 'f' }),
      stdout: outputs.stdout,
      stderr: outputs.stderr,
      since: shared.since,
      until: shared.until,
      timestamps: boolean('Put the time before each line', { short: 't' }),
      tail: shared.tail,
    },
    answer: 'bytes',
  }),
  containerAttach: operation()({
    summary: "Connect to a running container's streams",
    route: 'POST /containers/{id}/attach',
    query: {
      ...outputs,
      stream: boolean('Go on as it writes more'),
      logs: boolean('Start with what it wrote already'),
      detachKeys: string('Keys that detach, as in ctrl-p,ctrl-q', { placeholder: 'KEYS' }),
    },
    answer: 'bytes',
  }),

  networkList: operation<
    readonly { readonly Name: string; readonly Id: string; readonly Driver: string }[]
  >()({
    summary: 'List networks',
    route: 'GET /networks',
    query: { filter: shared.filter },
  }),
  networkInspect: operation<Readonly<Record<string, unknown>>>()({
    summary: 'Show all about a network',
    route: 'GET /networks/{id}',
  }),
};

type Named<T> = { readonly [Id in keyof T]: T[Id] & { readonly id: Id } };

/** Every operation, by id. */
export const operations = Object.fromEntries(
  Object.entries(definitions).map(([id, definition]) => [id, { id, ...definition }]),
) as unknown as Named<typeof definitions>;

export type OperationId = keyof typeof operations;
export type QueryOf<Id extends OperationId> = ValuesOf<(typeof operations)[Id]['query']>;
export type ResultOf<Id extends OperationId> = NonNullable<(typeof operations)[Id]['types']>['result'];
export type BodyOf<Id extends OperationId> = NonNullable<(typeof operations)[Id]['types']>['body'];

type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends `${infer Plain}*` ? Plain : Name) | NamesIn<Rest>
  : never;
/** The parameters in an operation's path, by name. */
export type PathOf<Id extends OperationId> = {
  readonly [Name in NamesIn<(typeof operations)[Id]['path']>]: string;
};
