#!/usr/bin/env node
// The one entry of every npm script: `node scripts/run.mjs COMMAND [arguments]`.
// Runs before any package is installed and on Node 20, so it uses nothing but Node itself.
import { join, resolve } from 'node:path'
import { ensureBuild } from './build/ensure-build.mjs'
import { runChild } from './commands/child.mjs'
import { hasScreen, withDisplay } from './commands/display.mjs'
import { repositoryRoot } from './setup/paths.mjs'
import { setupEnvironment } from './setup/read-setup.mjs'
import { ensureSetup, explainFailure } from './setup/setup.mjs'

const appParts = ['main', 'preload', 'worker', 'reader', 'renderer']

/** @type {Record<string, { needs: string[], run: (context: Context, args: string[]) => Promise<number> }>} */
const commands = {
  setup: { needs: [], run: async () => 0 },
  build: { needs: appParts, run: async () => 0 },
  start: { needs: appParts, run: startApp },
  lacuna: { needs: ['cli', 'worker', 'reader'], run: tool('dist/engine/cli.js') },
  demo: { needs: ['demo', 'screenshots', ...appParts], run: runDemo },
  golden: { needs: ['golden'], run: tool('dist/tools/golden.js') },
  bench: { needs: ['bench', 'bench-child', 'bench-epochs', 'bench-methods'], run: tool('dist/tools/bench.js') },
  'bench:dicom': { needs: ['bench:dicom', 'dicom-thread'], run: tool('dist/tools/bench-dicom.js') },
  'bench:import': { needs: ['bench:import', 'worker', 'reader'], run: tool('dist/tools/bench-import.js') },
  study: { needs: ['study', 'worker', 'reader'], run: tool('dist/tools/study.js') },
  shots: { needs: ['screenshots', ...appParts], run: withScreen(tool('dist/tools/screenshots.js')) },
  check: { needs: [], run: async (context, args) => (await import('./commands/check.mjs')).runCheckCommand(context, args) },
  e2e: { needs: appParts, run: async (context, args) => (await import('./commands/test.mjs')).runEndToEnd(context, args) },
  test: { needs: [], run: async (context, args) => (await import('./commands/test.mjs')).runAllTests(context, args) },
  dist: { needs: [...appParts, 'cli'], run: async (context, args) => (await import('./commands/dist.mjs')).makeInstallers(context, args) },
}

/** @typedef {{ setup: import('./setup/read-setup.d.mts').Setup, env: NodeJS.ProcessEnv, cwd: string }} Context */

function tool(script) {
  return ({ setup, env, cwd }, args) => runChild(setup.nodePath, ['--enable-source-maps', '--expose-gc', join(repositoryRoot, script), ...args], { env, cwd })
}

function withScreen(run) {
  return (context, args) => withDisplay((display) => run({ ...context, env: { ...context.env, ...display } }, args))
}

async function startApp(context, args) {
  const { setup, env, cwd } = context
  if (!setup.electronPath) {
    process.stderr.write(`The window cannot be opened: ${setup.electronReason}.\n`)
    return 1
  }
  const isRoot = process.platform === 'linux' && process.getuid() === 0
  if (isRoot && env.LACUNA_NO_SANDBOX !== '1') {
    process.stderr.write('Electron does not run as root with its sandbox on. Start it as an ordinary user, or set LACUNA_NO_SANDBOX=1 to try it without the sandbox, with no real patient data.\n')
    return 1
  }
  return runChild(setup.electronPath, [...(isRoot ? ['--no-sandbox'] : []), repositoryRoot, ...args], { env, cwd })
}

/**
 * The demo makes its cohort, trains and prints the tables; then the app opens on the same database.
 * Without a screen (or as root, where the sandbox does not start) every screen is photographed instead.
 */
async function runDemo(context, args) {
  const outDir = resolve(context.cwd, args[0] ?? 'demo-output')
  const status = await tool('dist/engine/demo.js')(context, [outDir])
  if (status !== 0) return status
  const shown = { ...context, env: { ...context.env, LACUNA_STORE: join(outDir, 'lacuna.db') } }
  const isRoot = process.platform === 'linux' && process.getuid() === 0
  if (hasScreen() && !isRoot) return startApp(shown, [])
  const pictures = join(outDir, 'screenshots')
  const photographed = await withScreen(tool('dist/tools/screenshots.js'))(shown, ['--store', shown.env.LACUNA_STORE, '--out', pictures, '--quick'])
  if (photographed === 0) process.stdout.write(`Screenshots: ${pictures}\n`)
  return photographed
}

async function main() {
  const [name, ...given] = process.argv.slice(2)
  // npm takes the separating `--` away; started directly it is still there.
  const args = given[0] === '--' ? given.slice(1) : given
  const command = commands[name]
  if (!command) {
    process.stderr.write(`Usage: npm run COMMAND, where COMMAND is one of: ${Object.keys(commands).join(', ')}\n`)
    return 2
  }
  const setup = await ensureSetup({ isForced: name === 'setup' })
  if (name !== 'setup') await ensureBuild(setup, command.needs, { isForced: name === 'build' })
  // npm changes into the package folder; paths on the command line are meant from where the person stands.
  const cwd = process.env.npm_lifecycle_event ? process.env.INIT_CWD ?? process.cwd() : process.cwd()
  return command.run({ setup, env: { ...process.env, ...setupEnvironment(setup) }, cwd }, args)
}

try {
  process.exitCode = await main()
} catch (error) {
  explainFailure(error)
  process.exitCode = 1
}
