import { constants } from 'node:fs'
import { access, readdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AppError } from '../domain/errors.ts'

/** The system's code of a file error ("ENOENT"), or empty string. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

const deniedCodes = new Set(['EACCES', 'EPERM'])
const goneCodes = new Set(['ENOENT', 'ENOTDIR'])

const plainCauses: Record<string, string> = {
  EIO: 'the drive reported a read error',
  ENXIO: 'the drive is no longer connected',
  ENODEV: 'the drive is no longer connected',
  ESTALE: 'the network folder was disconnected',
  ENOTCONN: 'the network folder was disconnected',
  EHOSTDOWN: 'the network folder is not reachable',
  ETIMEDOUT: 'the network folder does not answer',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EBUSY: 'another program uses the file',
}

/** What a failed read means for the import: this one file is gone or locked, or the whole source is in trouble. */
export type FileFailure = 'gone' | 'denied'

/**
 * Judges a failed read of `path` below `sourceDir`: "gone" or "denied" when only this file is affected.
 * @throws AppError when the folder itself is gone or locked or the drive fails, since going on would mark every later file missing.
 */
export async function judgeFileError(error: unknown, path: string, sourceDir: string): Promise<FileFailure> {
  const code = systemCode(error)
  if (goneCodes.has(code)) {
    await assertFolder(sourceDir)
    // An unplugged drive leaves an empty mount point behind; the file was listed a moment ago.
    const isParentUsable = await readdir(dirname(path)).then((names) => names.length > 0, () => false)
    if (!isParentUsable) throw new AppError('IMPORT_FOLDER_MISSING', 'The image folder disappeared during the import.', { cause: error })
    return 'gone'
  }
  if (deniedCodes.has(code)) {
    await assertFolder(sourceDir)
    return 'denied'
  }
  if (code === '') throw error
  throw new AppError('IMPORT_FILE_FAILED', `Reading the image folder failed: ${plainCauses[code] ?? `system error ${code}`}.`, { cause: error })
}

/**
 * Makes sure that the source folder is there and may be read.
 * @throws AppError IMPORT_FOLDER_MISSING, IMPORT_FOLDER_UNREADABLE or IMPORT_FILE_FAILED
 */
export async function assertFolder(sourceDir: string): Promise<void> {
  try {
    const info = await stat(sourceDir)
    if (!info.isDirectory()) throw new AppError('IMPORT_FOLDER_MISSING', 'The source is a file, not a folder.')
    await access(sourceDir, constants.R_OK | constants.X_OK)
  } catch (error) {
    if (error instanceof AppError) throw error
    throw folderError(error)
  }
}

/** The AppError for a folder or table that cannot be opened. */
export function folderError(error: unknown): AppError {
  const code = systemCode(error)
  if (goneCodes.has(code)) return new AppError('IMPORT_FOLDER_MISSING', 'The source folder cannot be found.', { cause: error })
  if (deniedCodes.has(code)) return new AppError('IMPORT_FOLDER_UNREADABLE', 'The source folder may not be read by this user.', { cause: error })
  return new AppError('IMPORT_FILE_FAILED', `The source folder cannot be read: ${plainCauses[code] ?? `system error ${code || 'unknown'}`}.`, { cause: error })
}

/** The AppError for a table that cannot be opened. */
export function tableFileError(error: unknown): AppError {
  const code = systemCode(error)
  if (goneCodes.has(code)) return new AppError('IMPORT_TABLE_MISSING', 'The table file cannot be found.', { cause: error })
  if (deniedCodes.has(code)) return new AppError('IMPORT_FOLDER_UNREADABLE', 'The table file may not be read by this user.', { cause: error })
  return new AppError('IMPORT_FILE_FAILED', `The table cannot be read: ${plainCauses[code] ?? `system error ${code || 'unknown'}`}.`, { cause: error })
}
