import SqliteDatabase from 'better-sqlite3'
import { AppError } from '../domain/errors.ts'

const { SqliteError } = SqliteDatabase

/** A full disk shows up under several names, depending on which file could not grow. */
const diskFullCodes = new Set(['SQLITE_FULL', 'SQLITE_IOERR_WRITE', 'SQLITE_IOERR_FSYNC', 'SQLITE_IOERR_DIR_FSYNC', 'SQLITE_IOERR_TRUNCATE', 'SQLITE_IOERR_SHMSIZE', 'SQLITE_IOERR_SHMMAP', 'ENOSPC', 'EDQUOT'])
const notWritableCodes = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'EISDIR', 'SQLITE_PERM', 'SQLITE_AUTH'])

function codeOf(error: unknown): string | null {
  if (error instanceof SqliteError) return error.code
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return null
}

/** The AppError that a failure of SQLite or the file system stands for; anything else comes back as it was. */
export function toStoreError(error: unknown): unknown {
  if (error instanceof AppError) return error
  const code = codeOf(error)
  if (code === null) return error
  if (diskFullCodes.has(code)) return new AppError('STORE_DISK_FULL', 'The disk is full: the last change was not saved, everything before it was.', { cause: error })
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return new AppError('STORE_CORRUPT', 'The database file is damaged.', { cause: error })
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return new AppError('STORE_LOCKED', 'Another program is using this database.', { cause: error })
  if (code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_CANTOPEN') || notWritableCodes.has(code)) {
    return new AppError('STORE_NOT_WRITABLE', 'The database file or its folder cannot be written.', { cause: error })
  }
  return error
}

/** Runs one store operation; what the disk or another program caused comes out as an AppError. */
export function translateErrors<T>(operation: () => T): T {
  try {
    return operation()
  } catch (error) {
    throw toStoreError(error)
  }
}

/** The same functions, each with its errors translated. */
export function guarded<T extends object>(functions: T): T {
  const wrapped = Object.entries(functions).map(([name, value]) => {
    const operation = value as (...parameters: unknown[]) => unknown
    return [name, (...parameters: unknown[]) => translateErrors(() => operation(...parameters))]
  })
  return Object.fromEntries(wrapped) as T
}

export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === 'SQLITE_CONSTRAINT_UNIQUE'
}
