import { BerthError } from '../api/errors.ts';
import { runProgram } from '../host/programs.ts';

/**
 * firewalld refuses what is forwarded from an interface that is in none of its zones, and no rule of ours overrides
 * that (see forward-policy.ts): bridges go into its zone that lets all through. What is not to pass, our own rules
 * drop all the same. It forgets that when its rules are loaded anew, and is told again.
 */
export type Firewalld = {
  /** Has it let these bridges' packets through, where it runs and has forgotten. Tells what went wrong, and throws nothing. */
  trust(bridges: readonly string[]): Promise<void>;
  /** Takes them out of its zone. Throws nothing either. */
  forget(bridges: readonly string[]): Promise<void>;
  /** It took too long to let a bridge through: to be told again, though no rules may change until then. */
  isLate(): boolean;
};

const ZONE = '--zone=trusted';
/** It says that an interface is in that zone already, or that somebody has put it into another: that stays. */
const SETTLED = /ZONE_ALREADY_SET|ZONE_CONFLICT|ALREADY_ENABLED/;
/** The bridge was never in the zone, or firewalld ends in this moment. */
const GONE = /UNKNOWN_INTERFACE|ZONE_CONFLICT|NOT_RUNNING|not running/;

/** It takes half a second; D-Bus gives up after 25, twice, and whoever makes a network would wait for that. */
const LIMIT_MS = 5_000;

/** `rules` gives what there is of firewalld's own rules: it changes when they do, and is empty where it doesn't run. */
export function openFirewalld(rules: () => string, warn: (message: string) => void): Firewalld {
  /** Its rules when it had nothing to do on being told. */
  let told = '';
  let trusted: readonly string[] = [];
  let late = false;
  let wanted: readonly string[] = [];
  let telling: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;

  const isSettled = (bridges: readonly string[]) =>
    rules() === told && bridges.every((bridge) => trusted.includes(bridge));

  async function tell(bridges: readonly string[]): Promise<void> {
    const before = rules();
    if (bridges.length === 0 || before === '' || isSettled(bridges)) {
      late = false;
      return;
    }
    const missing = before === told ? bridges.filter((bridge) => !trusted.includes(bridge)) : bridges;
    const answered = await ask('--add-interface', missing, SETTLED);
    trusted = answered ? bridges : bridges.filter((bridge) => !missing.includes(bridge));
    late = !answered;
    // Where it had something to do it is told once more, when that is noticed: it may have been loaded anew meanwhile.
    if (rules() === before) told = before;
  }

  /** Whether it answered in time, be it that it refused. */
  async function ask(what: string, bridges: readonly string[], expected: RegExp): Promise<boolean> {
    const args = [ZONE, ...bridges.map((bridge) => `${what}=${bridge}`)];
    try {
      await runProgram('firewall-cmd', args, { signal: AbortSignal.timeout(LIMIT_MS) });
    } catch (error) {
      if (error instanceof BerthError && error.code === 'cancelled') {
        if (!late) warn(`firewalld: no answer within ${LIMIT_MS / 1000} s to ${args.join(' ')}`);
        return false;
      }
      const words = wordsOf(error);
      if (!expected.test(words)) warn(`firewalld: ${words}`);
    }
    return true;
  }

  const warnOf = (error: unknown) => warn(`firewalld: ${wordsOf(error)}`);

  return {
    trust(bridges) {
      wanted = bridges;
      // One after another, and no more than one that waits: where it is slow, they would pile up before a new network.
      queued ??= telling.then(() => {
        queued = undefined;
        return tell(wanted).catch(warnOf);
      });
      telling = queued;
      return queued;
    },
    async forget(bridges) {
      await telling;
      trusted = trusted.filter((bridge) => !bridges.includes(bridge));
      // Also what it was too late for: it may have done it since.
      const there = bridges.filter(Boolean);
      try {
        if (there.length > 0 && rules() !== '') await ask('--remove-interface', there, GONE);
      } catch (error) {
        warnOf(error);
      }
    },
    isLate: () => late,
  };
}

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
