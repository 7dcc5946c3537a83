import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { AppError } from '../domain/errors.ts'

/**
 * The secret from which patient pseudonyms are made lies beside the database, not in it: whoever gets a copy of the database
 * alone cannot find out by trial which hospital number became which pseudonym.
 *
 * @returns 64 hexadecimal digits; made on first use, readable by its owner only
 */
export function readPseudonymKey(storePath: string): string {
  const file = `${storePath}.key`
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
  const key = readFileSync(file, 'utf8').trim()
  if (!/^[0-9a-f]{64}$/.test(key)) throw new AppError('STORE_KEY_INVALID', 'The pseudonym key beside the database is not the one Lacuna wrote.')
  return key
}
