import { createHmac, randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { AppError } from '../domain/errors.ts'

const keyForm = /^[0-9a-f]{64}$/

/** What the database remembers of its key: not the key, only enough to know it again. */
export interface KeyMemory {
  check: string | null
  /** Pseudonyms were made with it: another key would give the same patients other ones. */
  isInUse: boolean
}

/**
 * The secret from which patient pseudonyms are made lies beside the database, not in it: whoever gets a copy of the database
 * alone cannot find out by trial which hospital number became which pseudonym.
 *
 * @param memory what the database knows of its key; without it the file must be there
 * @returns 64 hexadecimal digits; made on first use, readable by its owner only
 * @throws AppError STORE_KEY_MISSING, STORE_KEY_INVALID, STORE_KEY_NOT_WRITTEN
 */
export function readPseudonymKey(storePath: string, memory?: KeyMemory): string {
  const file = `${storePath}.key`
  if (!existsSync(file)) {
    if (!memory || memory.isInUse) throw new AppError('STORE_KEY_MISSING', 'The key file beside the database is not there. Pseudonyms, date shifts and the places of the images depend on it, so nothing is opened without it.')
    writeKey(file)
    return readKey(file)
  }
  let key = readKey(file)
  // What an older version left when it was stopped between making the file and filling it.
  if (key === '' && memory?.isInUse === false) {
    rmSync(file)
    writeKey(file)
    key = readKey(file)
  }
  if (!keyForm.test(key)) throw new AppError('STORE_KEY_INVALID', 'The pseudonym key beside the database is not the one Lacuna wrote.')
  if (memory && memory.check !== null && memory.check !== keyCheck(key)) throw new AppError('STORE_KEY_INVALID', 'The key file beside the database belongs to another database.')
  return key
}

/**
 * Puts a copy of the key file back beside the database, once it is known to be the right one. A file that lies there already is set aside under
 * another name, never overwritten: whoever chose the wrong one must be able to go back.
 *
 * @param isRight whether the database was made with this key
 * @returns the name that the file in the way has now, or null
 * @throws AppError STORE_KEY_INVALID, STORE_KEY_NOT_WRITTEN; nothing is changed then
 */
export function restorePseudonymKey(storePath: string, from: string, isRight: (key: string) => boolean): string | null {
  const key = readKey(from)
  if (!keyForm.test(key)) throw new AppError('STORE_KEY_INVALID', 'The chosen file is no key that Lacuna wrote. Nothing was changed.')
  if (!isRight(key)) throw new AppError('STORE_KEY_INVALID', 'The chosen key belongs to another database. Nothing was changed.')
  const file = `${storePath}.key`
  const aside = existsSync(file) ? freeName(`${file}.set-aside`) : null
  try {
    if (aside !== null) renameSync(file, aside)
  } catch (error) {
    throw new AppError('STORE_KEY_NOT_WRITTEN', 'The file in the place of the key could not be set aside. Nothing was changed.', { cause: error })
  }
  writeKey(file, key)
  return aside
}

function freeName(name: string): string {
  for (let number = 1; ; number++) if (!existsSync(`${name}-${number}`)) return `${name}-${number}`
}

/** A mark by which a key is known again: an HMAC, so that it says nothing of the key or of any patient. */
export function keyCheck(key: string): string {
  return createHmac('sha256', key).update('lacuna\u001fkey check', 'utf8').digest('hex').slice(0, 32)
}

/**
 * Written beside its place, made lasting, then put there: a stop in between leaves no half key, and a power cut after it no store whose
 * pseudonyms nobody can make again. The lock of the store is held, so nobody else writes one meanwhile.
 */
function writeKey(file: string, key = randomBytes(32).toString('hex')): void {
  const part = `${file}.part`
  try {
    rmSync(part, { force: true })
    const handle = openSync(part, 'wx', 0o600)
    try {
      writeSync(handle, `${key}\n`)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(part, file)
    syncFolder(dirname(file))
  } catch (error) {
    throw new AppError('STORE_KEY_NOT_WRITTEN', 'The key file could not be written beside the database, so no pseudonym can be made and nothing was imported.', { cause: error })
  }
}

/** The name of a new file is lasting only with its folder. Windows knows no such thing and needs none. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new AppError('STORE_KEY_INVALID', 'The key file beside the database cannot be read.', { cause: error })
  }
}
