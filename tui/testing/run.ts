/** Runs the built dashboard, as `berth ui` does: for tests. */
const built: { readonly main: (argv: readonly string[]) => Promise<number> } = await import(
  new URL('../../dist/ui.js', import.meta.url).href
);
process.once('SIGUSR2', () => {
  throw new Error('thrown by a test');
});
process.exitCode = await built.main(process.argv.slice(2));
