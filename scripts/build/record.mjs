import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../setup/paths.mjs'
import { entries } from './entries.mjs'
import { fingerprintSources } from './fingerprint.mjs'

/** What the last build made, from which sources. */
export const recordFile = join(repositoryRoot, 'dist', 'build.json')

/** The record of the last build, or undefined. */
export function readBuildRecord() {
  if (!existsSync(recordFile)) return undefined
  try {
    return JSON.parse(readFileSync(recordFile, 'utf8'))
  } catch {
    return undefined
  }
}

/** True when the outputs stand for the sources as they are now. */
export function isBuildCurrent() {
  const record = readBuildRecord()
  if (!record) return false
  const outputs = entries.filter((entry) => record.parts.bundles?.built.includes(entry.name)).map((entry) => entry.output)
  if (!outputs.every((output) => existsSync(join(repositoryRoot, output)))) return false
  return ['bundles', 'renderer'].every((part) =>
    record.parts[part]?.failed.length === 0 && record.parts[part].fingerprint === fingerprintSources(repositoryRoot, part))
}
