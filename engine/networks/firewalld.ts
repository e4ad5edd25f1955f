import { runProgram } from '../host/programs.ts';

/**
 * firewalld refuses what is forwarded from an interface that is in none of its zones, and no rule of ours overrides
 * that (see forward-policy.ts): bridges go into its zone that lets all through. What is not to pass, our own rules
 * drop all the same. It forgets that when its rules are loaded anew, and is told again.
 */
export type Firewalld = {
  /** Has it let these bridges' packets through, where it runs and has forgotten. Tells what went wrong, and throws nothing. */
  trust(bridges: readonly string[]): Promise<void>;
  /** Takes them out of its zone. */
  forget(bridges: readonly string[]): Promise<void>;
};

const ZONE = '--zone=trusted';
/** It says that an interface is in that zone already, or that somebody has put it into another: that stays. */
const SETTLED = /ZONE_ALREADY_SET|ZONE_CONFLICT|ALREADY_ENABLED/;
/** The bridge was never in the zone, or firewalld ends in this moment. */
const GONE = /UNKNOWN_INTERFACE|ZONE_CONFLICT|NOT_RUNNING|not running/;

/** `rules` gives what there is of firewalld's own rules: it changes when they do, and is empty where it doesn't run. */
export function openFirewalld(rules: () => string, warn: (message: string) => void): Firewalld {
  /** Its rules when it had nothing to do on being told. */
  let told = '';
  let trusted: readonly string[] = [];
  let telling: Promise<void> = Promise.resolve();

  const isSettled = (bridges: readonly string[]) =>
    rules() === told && bridges.every((bridge) => trusted.includes(bridge));

  async function tell(bridges: readonly string[]): Promise<void> {
    const before = rules();
    if (bridges.length === 0 || before === '' || isSettled(bridges)) return;
    const missing = before === told ? bridges.filter((bridge) => !trusted.includes(bridge)) : bridges;
    await ask('--add-interface', missing, SETTLED);
    trusted = bridges;
    // Where it had something to do it is told once more, when that is noticed: it may have been loaded anew meanwhile.
    if (rules() === before) told = before;
  }

  async function ask(what: string, bridges: readonly string[], expected: RegExp): Promise<void> {
    try {
      await runProgram('firewall-cmd', [ZONE, ...bridges.map((bridge) => `${what}=${bridge}`)]);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      if (!expected.test(words)) warn(`firewalld: ${words}`);
    }
  }

  return {
    trust(bridges) {
      // One after another: each may take it half a second.
      telling = telling.then(() => tell(bridges));
      return telling;
    },
    async forget(bridges) {
      await telling;
      const there = bridges.filter((bridge) => trusted.includes(bridge));
      trusted = trusted.filter((bridge) => !there.includes(bridge));
      if (there.length > 0 && rules() !== '') await ask('--remove-interface', there, GONE);
    },
  };
}
