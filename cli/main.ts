#!/usr/bin/env -S node --
import { enableCompileCache } from 'node:module';

/**
 * The entry of the command line. It turns the compile cache on and loads the rest out of it, which is why the rest
 * is a bundle of its own (`commands.js`). The cache lies beside the bundles, and not in the shared temporary
 * directory that is Node's default: who can write into the cache decides what code runs.
 */
const fromSource = import.meta.url.endsWith('.ts');
if (!fromSource) enableCompileCache(new URL('compile-cache', import.meta.url).pathname);

const rest = fromSource ? './dispatch.ts' : './commands.js';
const { dispatch } = (await import(rest)) as typeof import('./dispatch.ts');
await dispatch(import.meta.url);
