// Run under the stock Node: vite asks for a newer one than the set-up may have been started with.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { argv, stderr } from 'node:process'
import { entries, rendererName, sourceFolders } from './entries.mjs'
import { readBuildRecord, recordFile } from './record.mjs'
import { fingerprintSources } from './fingerprint.mjs'
import { repositoryRoot } from '../setup/paths.mjs'

/**
 * The version of the code a run is stored with: a commit that holds these sources, marked when they were changed since,
 * and the hash of the sources themselves.
 */
function codeVersion(fingerprint) {
  const git = (...args) => spawnSync('git', args, { cwd: repositoryRoot, encoding: 'utf8', windowsHide: true })
  const commit = git('rev-parse', '--short=12', 'HEAD')
  const sources = `sources ${fingerprint.slice(0, 12)}`
  if (commit.status !== 0) return sources
  const isChanged = git('status', '--porcelain', '--', ...sourceFolders.bundles).stdout.trim() !== ''
  return `${commit.stdout.trim()}${isChanged ? ' with changes' : ''}, ${sources}`
}

/** Bundles every entry; a broken one does not keep the others from being built. */
async function buildBundles(fingerprint) {
  const { build } = await import('esbuild')
  const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'))
  const define = { __LACUNA_VERSION__: JSON.stringify(version), __LACUNA_CODE_VERSION__: JSON.stringify(codeVersion(fingerprint)) }
  const outcome = { built: [], failed: [], absent: [] }
  await Promise.all(entries.map(async (entry) => {
    if (!existsSync(join(repositoryRoot, entry.source))) {
      outcome.absent.push(entry.name)
      await rm(join(repositoryRoot, entry.output), { force: true })
      return
    }
    try {
      await build({
        absWorkingDir: repositoryRoot,
        entryPoints: [entry.source],
        outfile: entry.output,
        bundle: true,
        platform: 'node',
        // The oldest of stock Node 24 and the Node inside Electron 42.
        target: 'node24',
        format: entry.format,
        sourcemap: 'linked',
        loader: { '.sql': 'text' },
        define,
        logLevel: 'warning',
        ...(entry.format === 'cjs' ? { external: ['electron'] } : { packages: 'external' }),
      })
      outcome.built.push(entry.name)
    } catch {
      outcome.failed.push(entry.name)   // esbuild has printed file, line and cause
    }
  }))
  return outcome
}

async function buildRenderer() {
  if (!existsSync(join(repositoryRoot, 'renderer', 'index.html'))) return { built: [], failed: [], absent: [rendererName] }
  try {
    const { build } = await import('vite')
    await build({ root: join(repositoryRoot, 'renderer'), configFile: join(repositoryRoot, 'vite.config.ts'), logLevel: 'warn' })
    return { built: [rendererName], failed: [], absent: [] }
  } catch (error) {
    stderr.write(`${error.message}\n`)
    return { built: [], failed: [rendererName], absent: [] }
  }
}

const isForced = argv.includes('--force')
const known = isForced ? undefined : readBuildRecord()
const startedAt = performance.now()
const parts = { bundles: buildBundles, renderer: buildRenderer }
const record = { parts: {} }
for (const [part, make] of Object.entries(parts)) {
  // Taken before building: a file saved meanwhile then counts as changed.
  const fingerprint = fingerprintSources(repositoryRoot, part)
  const before = known?.parts[part]
  record.parts[part] = before?.fingerprint === fingerprint && before.failed.length === 0 ? before : { fingerprint, ...(await make(fingerprint)) }
}
await mkdir(dirname(recordFile), { recursive: true })
await writeFile(`${recordFile}.partial`, JSON.stringify(record, null, 2))
await rename(`${recordFile}.partial`, recordFile)
const failed = Object.values(record.parts).flatMap((part) => part.failed)
const absent = Object.values(record.parts).flatMap((part) => part.absent)
if (absent.length > 0) stderr.write(`build: no source yet for ${absent.join(', ')}\n`)
if (failed.length > 0) stderr.write(`build: FAILED for ${failed.join(', ')}\n`)
stderr.write(`build: ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`)
process.exitCode = failed.length > 0 ? 1 : 0
