import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { BerthError } from '../api/errors.ts';
import type { ExecCreateBody, ExecStartBody } from '../api/wire/exec.ts';
import { chooseCapabilities } from '../runtime/capabilities.ts';
import { resolveUser } from '../runtime/users.ts';
import { type Context, pathsOf } from './context.ts';
import type { ConsoleSize, ExecConfig } from './exec-store.ts';
import type { ContainerRecord } from './record.ts';

const text = z.string().refine((value) => !value.includes('\0'), 'text without null bytes');
const flag = z.boolean().nullish();
const screenSide = z.number().int().min(0).max(65535);
const consoleSize = z.tuple([screenSide, screenSide]).nullish();

const createShape = z.looseObject({
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  DetachKeys: text.nullish(),
  Tty: flag,
  Env: z.array(text.regex(/^[^=]/, 'NAME=VALUE')).nullish(),
  Cmd: z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(text).nullish()),
  Privileged: flag,
  User: text.nullish(),
  WorkingDir: text.regex(/^$|^\//, 'an absolute path').nullish(),
  ConsoleSize: consoleSize,
});
const startShape = z.looseObject({ Detach: flag, Tty: flag, ConsoleSize: consoleSize });

/** Checks what a client asks to run. Throws `invalid` with the field and its value. */
export function readExecBody(body: ExecCreateBody): ExecConfig {
  const given = parse(createShape, body);
  const [program, ...args] = given.Cmd ?? [];
  if (program === undefined || program === '')
    throw new BerthError('invalid', 'No exec command specified', { hint: 'name a program in Cmd' });
  return {
    args: [program, ...args],
    env: given.Env ?? [],
    user: given.User ?? '',
    workingDir: given.WorkingDir ?? '',
    tty: given.Tty === true,
    privileged: given.Privileged === true,
    stdin: given.AttachStdin === true,
    stdout: given.AttachStdout === true,
    stderr: given.AttachStderr === true,
    consoleSize: sizeOf(given.ConsoleSize),
  };
}

/** Checks what a client says of a start. Throws `invalid`. */
export function readExecStart(body: ExecStartBody): {
  readonly detach: boolean;
  readonly tty: boolean;
  readonly consoleSize?: ConsoleSize | undefined;
} {
  const given = parse(startShape, body);
  return {
    detach: given.Detach === true,
    tty: given.Tty === true,
    consoleSize: sizeOf(given.ConsoleSize),
  };
}

function parse<T>(shape: z.ZodType<T>, body: unknown): T {
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const value = issue?.path.reduce<unknown>(
    (part, key) => (part as Record<PropertyKey, unknown> | undefined)?.[key],
    body,
  );
  throw new BerthError(
    'invalid',
    `invalid ${issue?.path.join('.') || 'request body'}: ${JSON.stringify(value)}: ${issue?.message}`,
  );
}

/** A size of 0 by 0 is how clients say that they have none. */
function sizeOf(size: readonly [number, number] | null | undefined): ConsoleSize | undefined {
  return size == null || size[0] === 0 || size[1] === 0 ? undefined : { rows: size[0], columns: size[1] };
}

type SpecProcess = {
  readonly user: { readonly uid: number; readonly gid: number };
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: { readonly bounding: readonly string[] };
};

/**
 * The OCI spec's `process` of a program in a running container: the container's own, with what was asked for instead
 * (as dockerd has it: limits, environment and directory are the container's). Throws `invalid` on a user that is not
 * there.
 */
export async function execProcessSpec(context: Context, record: ContainerRecord, exec: ExecConfig) {
  const paths = pathsOf(context, record.id);
  const spec = JSON.parse(await readFile(join(paths.bundle, 'config.json'), 'utf8')) as {
    readonly process: SpecProcess;
  };
  const own = spec.process;
  // Looked up also where none was given: the image's own user has a home.
  const found = await resolveUser(paths.rootfs, exec.user || record.config.User || '');
  const user =
    exec.user === '' ? own.user : { uid: found.uid, gid: found.gid, additionalGids: found.additionalGids };
  const bounding = exec.privileged ? chooseCapabilities({ privileged: true }) : own.capabilities.bounding;
  // Another user than root starts with none of them in force, as execve(2) would have it.
  const inForce = user.uid === 0 ? bounding : [];
  return {
    ...own,
    terminal: exec.tty,
    ...(exec.tty && exec.consoleSize !== undefined
      ? { consoleSize: { height: exec.consoleSize.rows, width: exec.consoleSize.columns } }
      : {}),
    user,
    args: exec.args,
    env: environment(record, own.env, exec, found.home),
    cwd: exec.workingDir || record.config.WorkingDir || '/',
    capabilities: { bounding, effective: inForce, permitted: inForce, inheritable: [], ambient: [] },
  };
}

/** The container's, with the home of the user and the terminal of this program, and what was asked for over it. */
function environment(
  record: ContainerRecord,
  own: readonly string[],
  exec: ExecConfig,
  home: string,
): readonly string[] {
  const nameOf = (entry: string) => entry.split('=', 1)[0] ?? '';
  const textOf = (entry: string) => entry.slice(nameOf(entry).length + 1);
  const chosen = new Set((record.config.Env ?? []).map(nameOf));
  const values = new Map(own.map((entry) => [nameOf(entry), textOf(entry)]));
  if (!chosen.has('HOME')) values.set('HOME', home);
  if (!chosen.has('TERM')) values.delete('TERM');
  if (exec.tty && !values.has('TERM')) values.set('TERM', 'xterm');
  for (const entry of exec.env) {
    // A name alone takes the variable away.
    if (entry.includes('=')) values.set(nameOf(entry), textOf(entry));
    else values.delete(entry);
  }
  return [...values].map(([name, value]) => `${name}=${value}`);
}
