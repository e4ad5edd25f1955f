#!/usr/bin/env -S node --disable-sigusr1 --
import { createRequire, enableCompileCache } from 'node:module';

/**
 * The entry of the command line. It turns the compile cache on and loads the rest out of it, which is why the rest
 * is a bundle of its own (`commands.cjs`). The cache lies beside the bundles, and not in the shared temporary
 * directory that is Node's default: who can write into the cache decides what code runs.
 */
const fromSource = import.meta.url.endsWith('.ts');
if (!fromSource) enableCompileCache(new URL('compile-cache', import.meta.url).pathname);

// `require`, and a bundle in CommonJS: from an import of a module that was not known before, it takes 5 % longer.
const rest = fromSource ? './dispatch.ts' : './commands.cjs';
const { dispatch } = createRequire(import.meta.url)(rest) as typeof import('./dispatch.ts');
await dispatch(import.meta.url);
