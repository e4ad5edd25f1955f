import childProcess from 'node:child_process';
import fs from 'node:fs';
import { ServerResponse } from 'node:http';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { DatabaseSync, type StatementResultingChanges, StatementSync } from 'node:sqlite';

/**
 * Loaded before an engine (`node --import`), it ends it with SIGKILL right before one of its steps: a step is anything
 * that is seen outside of the process and outlives it. Nothing in the engine knows of it.
 *
 * On SIGUSR2 it reads from the file in BERTH_CRASH_PLAN at which step from now on to die, and answers beside it with
 * the steps that were counted since the last time.
 */

export type Plan = { readonly id: number; readonly dieAt: number };
export type Answer = { readonly to: number; readonly steps: readonly string[] };

type Call = (this: unknown, ...values: unknown[]) => unknown;

const planPath = process.env.BERTH_CRASH_PLAN ?? '';
let steps: string[] = [];
let dieAt = 0;
let planId = 0;

process.on('SIGUSR2', () => {
  const plan = JSON.parse(originals.readFileSync(planPath, 'utf8')) as Plan;
  // Whoever else listens may send it once more, as if nobody had: `signal-exit`, of execa.
  if (plan.id === planId) return;
  ({ id: planId, dieAt } = plan);
  const answer: Answer = { to: plan.id, steps };
  originals.writeFileSync(`${planPath}.answer`, JSON.stringify(answer));
  steps = [];
});

function step(name: string): void {
  steps.push(name);
  if (steps.length === dieAt) originals.kill(process.pid, 'SIGKILL');
}

const originals = {
  readFileSync: fs.readFileSync,
  writeFileSync: fs.writeFileSync,
  kill: process.kill.bind(process),
};

function watchCalls(owner: object, names: readonly string[], label: string): void {
  const functions = owner as Record<string, Call>;
  for (const name of names) {
    const original = functions[name];
    if (original === undefined) throw new Error(`there is no ${label}.${name} to watch`);
    functions[name] = function (this: unknown, ...values) {
      if (values[1] !== 'SIGUSR2') step(`${label}.${name}`);
      return original.apply(this, values);
    };
  }
}

/** What a transaction has not committed yet nobody sees, and nothing of it outlives the process: it is one step. */
function watchTransactions(): void {
  const owners = new WeakMap<StatementSync, DatabaseSync>();
  const { prepare, exec } = DatabaseSync.prototype;
  DatabaseSync.prototype.prepare = function (...values) {
    const statement = prepare.apply(this, values);
    owners.set(statement, this);
    return statement;
  };
  DatabaseSync.prototype.exec = function (sql) {
    if (!/^(?:BEGIN|ROLLBACK|PRAGMA)/.test(sql)) step(`sqlite ${sql.slice(0, 6)}`);
    exec.call(this, sql);
  };
  const statements = StatementSync.prototype as { run(...values: unknown[]): StatementResultingChanges };
  const { run } = statements;
  statements.run = function (this: StatementSync, ...values) {
    if (owners.get(this)?.isTransaction !== true) step('sqlite.run');
    return run.apply(this, values);
  };
}

const changing = [
  'mkdir',
  'writeFile',
  'rename',
  'rm',
  'unlink',
  'rmdir',
  'symlink',
  'link',
  'chmod',
  'chown',
];
watchCalls(
  fs,
  changing.map((name) => `${name}Sync`),
  'fs',
);
watchCalls(fs.promises, changing, 'fs.promises');
watchCalls(childProcess, ['spawn'], 'child_process');
watchCalls(process, ['kill'], 'process');
watchCalls(ServerResponse.prototype, ['end'], 'http');
watchTransactions();
syncBuiltinESMExports();

const CALLS = /\b(mount|umount2|posix_spawn|unshare|send|mknod|lsetxattr)\(/;
// As the engine loads it: what an import gives is another object.
const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')['default'];
const load = koffi.load;
koffi.load = (...values) => {
  const library = load(...values);
  const func = library.func.bind(library) as (prototype: string) => Call & { readonly async: Call };
  return {
    func: (prototype: string) => {
      const name = CALLS.exec(prototype)?.[1];
      const original = func(prototype);
      if (name === undefined) return original;
      const counted = (...called: unknown[]) => {
        if (name !== 'send' || !isQuestion(called[1])) step(name);
      };
      const now = (...called: unknown[]) => {
        counted(...called);
        return original(...called);
      };
      const async = (...called: unknown[]) => {
        counted(...called);
        original.async(...called);
      };
      return Object.assign(now, { async });
    },
  } as unknown as typeof library;
};

/**
 * Whether a message to the kernel only asks: RTM_GETLINK and its like, whose numbers end so (linux/rtnetlink.h), and
 * what nftables has of rules and changes (linux/netfilter/nf_tables.h).
 */
function isQuestion(message: unknown): boolean {
  const RTM_BASE = 16;
  const [GETRULE, GETGEN] = [0x0a07, 0x0a10];
  const type = Buffer.isBuffer(message) ? message.readUInt16LE(4) : 0;
  return (
    type === GETRULE || type === GETGEN || (type >= RTM_BASE && type < 256 && (type - RTM_BASE) % 4 === 2)
  );
}
