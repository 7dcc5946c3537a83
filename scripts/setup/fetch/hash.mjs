import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { SetupError } from '../progress.mjs'

/** Digest of a file, streamed; hex for sha256, base64 for npm integrity. */
export async function digestFile(path, algorithm, encoding) {
  const hash = createHash(algorithm)
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash)
  return hash.digest(encoding)
}

/** Throws unless the file has this sha256 (hex). */
export async function requireSha256(path, expected) {
  const actual = await digestFile(path, 'sha256', 'hex')
  if (actual !== expected) throw mismatch(path, expected, actual)
}

/** Throws unless the file has this npm integrity (`sha512-` + base64). */
export async function requireIntegrity(path, expected) {
  if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(expected)) throw new SetupError(`"${expected}" is not a sha512 integrity.`)
  const actual = `sha512-${await digestFile(path, 'sha512', 'base64')}`
  if (actual !== expected) throw mismatch(path, expected, actual)
}

function mismatch(path, expected, actual) {
  return new SetupError(
    `${path} has hash ${actual}, not the pinned ${expected}: it was damaged or replaced on the way.`,
    'Run the same command again. If it repeats, do not use the file; report it.',
  )
}
