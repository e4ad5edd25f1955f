import { randomInt } from 'node:crypto';

const moods = [
  'able', 'bold', 'brave', 'bright', 'brisk', 'calm', 'clear', 'clever', 'cosy', 'crisp', 'deft', 'eager', 'early',
  'fair', 'fleet', 'fond', 'frank', 'fresh', 'gentle', 'glad', 'grand', 'handy', 'hardy', 'humble', 'jolly', 'keen',
  'kind', 'lively', 'lucid', 'merry', 'mild', 'neat', 'noble', 'patient', 'plain', 'proud', 'quick', 'quiet', 'ready',
  'sharp', 'snug', 'sound', 'steady', 'still', 'sunny', 'sure', 'swift', 'tidy', 'trim', 'true', 'warm', 'wise',
]; // biome-ignore format: a word list

/** Boats and what belongs to a harbour. */
const craft = [
  'anchor', 'barge', 'barque', 'beacon', 'bollard', 'brig', 'buoy', 'canoe', 'capstan', 'catboat', 'clipper', 'cog',
  'coracle', 'cutter', 'dhow', 'dinghy', 'dory', 'ferry', 'frigate', 'galleon', 'gig', 'halyard', 'hulk', 'jetty',
  'junk', 'kayak', 'ketch', 'launch', 'lighter', 'lugger', 'mooring', 'packet', 'pier', 'pilot', 'pinnace', 'punt',
  'quay', 'schooner', 'scow', 'skiff', 'sloop', 'smack', 'tender', 'trawler', 'tug', 'wherry', 'xebec', 'yawl',
]; // biome-ignore format: a word list

/** A name that is not in use: `steady_sloop`, with a number once the plain ones run short. */
export function inventName(inUse: (name: string) => boolean): string {
  for (let tries = 0; ; tries += 1) {
    const plain = `${pick(moods)}_${pick(craft)}`;
    const name = tries < 8 ? plain : `${plain}${randomInt(1_000_000)}`;
    if (!inUse(name)) return name;
  }
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? '';
}
