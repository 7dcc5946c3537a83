import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { AppError } from '../domain/errors.ts'

/**
 * The re-identification file: which hospital number became which pseudonym, for those who may know. Off by default, apart from the
 * database, encrypted with a passphrase: scrypt (RFC 7914) makes the key, AES-256-GCM seals the list.
 */
const format = 'lacuna-reidentification-1'
/** 128 MB and about a third of a second on one core, so that trying passphrases is dear. */
const scryptCost = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 }
const leastPassphrase = 12

const pairSchema = z.object({ patientKey: z.string(), patientId: z.string() })
export type ReidentificationPair = z.infer<typeof pairSchema>
const fileSchema = z.object({ format: z.literal(format), salt: z.string(), nonce: z.string(), tag: z.string(), sealed: z.string() })

function keyOf(passphrase: string, salt: Buffer): Buffer {
  return scryptSync(passphrase.normalize('NFC'), salt, 32, scryptCost)
}

/**
 * Writes the file; never over one that is there.
 * @throws AppError REIDENTIFY_PASSPHRASE for one of under 12 characters, EXPORT_FAILED
 */
export function writeReidentification(file: string, passphrase: string, pairs: readonly ReidentificationPair[]): void {
  if (passphrase.length < leastPassphrase) throw new AppError('REIDENTIFY_PASSPHRASE', `The passphrase has fewer than ${leastPassphrase} characters.`)
  const [salt, nonce] = [randomBytes(16), randomBytes(12)]
  const cipher = createCipheriv('aes-256-gcm', keyOf(passphrase, salt), nonce).setAAD(Buffer.from(format))
  const sealed = Buffer.concat([cipher.update(JSON.stringify(pairs), 'utf8'), cipher.final()])
  const content = { format, salt: salt.toString('base64'), nonce: nonce.toString('base64'), tag: cipher.getAuthTag().toString('base64'), sealed: sealed.toString('base64') }
  try {
    writeFileSync(file, `${JSON.stringify(content)}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    throw new AppError('EXPORT_FAILED', 'The re-identification file could not be written; it may be there already.', { cause: error })
  }
}

/**
 * The pairs of a file.
 * @throws AppError REIDENTIFY_FILE when it is none, REIDENTIFY_PASSPHRASE when the passphrase does not open it or it was changed
 */
export function readReidentification(file: string, passphrase: string): ReidentificationPair[] {
  const content = readContent(file)
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64')
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyOf(passphrase, bytes(content.salt)), bytes(content.nonce)).setAAD(Buffer.from(format)).setAuthTag(bytes(content.tag))
    return pairSchema.array().parse(JSON.parse(Buffer.concat([decipher.update(bytes(content.sealed)), decipher.final()]).toString('utf8')))
  } catch (error) {
    throw new AppError('REIDENTIFY_PASSPHRASE', 'The passphrase does not open this file, or the file was changed.', { cause: error })
  }
}

function readContent(file: string): z.infer<typeof fileSchema> {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    throw new AppError('REIDENTIFY_FILE', 'This is no re-identification file of Lacuna.', { cause: error })
  }
}
