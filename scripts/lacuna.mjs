#!/usr/bin/env node
// `npx lacuna ...`: the headless twin. Standard output is the command's own; the set-up talks on standard error.
process.argv.splice(2, 0, 'lacuna')
await import('./run.mjs')
