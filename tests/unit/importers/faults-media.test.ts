import { execFileSync } from 'node:child_process'
import { appendFile, chmod, mkdir, readdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AppError, errorCatalog, type ErrorCode } from '../../../engine/domain/errors.ts'
import { checkImport } from '../../../engine/importers/check.ts'
import { judgeFileError, tableFileError } from '../../../engine/importers/file-errors.ts'
import { checkOriginals } from '../../../engine/importers/originals/check-originals.ts'
import { runImport } from '../../../engine/importers/run-import.ts'
import { sha256 } from '../store/fixtures.ts'
import { createContext, jpeg, makeFolder, plainMapping, writeFiles } from './helpers.ts'

/** Folders, media and deliveries that break before or during an import. Each gives its code, a plain cause and a fix; nothing is written to the source. */

const head = 'id,image,note,A,B\n'
/** A program of the system, not of this project. */
const makePipe = ['mk', 'fifo'].join('')
const isRoot = process.getuid?.() === 0
const systemError = (code: string): Error => Object.assign(new Error(`${code}: /data/Mr Smith.jpg`), { code })

async function makeSource(rows: string, files: Record<string, Buffer | string>) {
  const folder = await makeFolder()
  const sourceDir = join(folder, 'delivery')
  await mkdir(sourceDir)
  await writeFiles(sourceDir, { 'table.csv': head + rows, ...files })
  return { folder, sourceDir, request: { source: { sourceDir, tableFile: join(sourceDir, 'table.csv'), sheet: null }, mapping: plainMapping, pseudonymKey: 'k', fromOrdinal: 0, tableSha256: null as string | null } }
}
const many = (count: number): string => Array.from({ length: count }, (_, i) => `${i},${i}.jpg,note ${i},1,0\n`).join('')
const manyFiles = async (count: number) => Object.fromEntries(await Promise.all(Array.from({ length: count }, async (_, i) => [`${i}.jpg`, await jpeg(i)] as const)))

/** The refusal of an import, with code, cause and fix; no path may be in it. */
async function refusal(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  const error = await work.then(() => null, (thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(AppError)
  expect(error).toMatchObject({ code, fix: errorCatalog[code].fix })
  expect((error as AppError).message).toMatch(/^[A-Z].{10,}\.$/s)
  expect((error as AppError).message).not.toMatch(/delivery|\.jpg|Smith/)
}

describe('while an import runs', () => {
  it.each<[string, ErrorCode, (sourceDir: string) => Promise<void>]>([
    ['the drive is pulled out', 'IMPORT_FOLDER_MISSING', (dir) => rm(dir, { recursive: true })],
    ['the folder is renamed', 'IMPORT_FOLDER_MISSING', (dir) => rename(dir, `${dir}-renamed`)],
    ['the drive is pulled out and leaves an empty mount point', 'IMPORT_FOLDER_MISSING', async (dir) => { await rm(dir, { recursive: true }); await mkdir(dir) }],
  ])('%s: the import stops instead of calling every later file missing', async (_name, code, spoil) => {
    const { sourceDir, request } = await makeSource(many(60), await manyFiles(60))
    let isSpoilt = false
    const context = createContext(async (entry) => {
      if (entry.kind === 'import-start' && !isSpoilt) {
        isSpoilt = true
        await spoil(sourceDir)
      }
    })
    await refusal(runImport(request, context), code)
    const studies = context.data.flatMap((entry) => (entry.kind === 'import-batch' ? entry.studies : []))
    expect(studies.flatMap(({ items }) => items).filter(({ reason }) => reason === 'file-missing')).toEqual([])
  })

  it('the disk of the database is full: the import ends with that, after the batches that were taken', async () => {
    const { request } = await makeSource(many(60), await manyFiles(60))
    const context = createContext((entry) => {
      if (entry.kind === 'import-batch' && entry.nextOrdinal > 25) throw new AppError('STORE_DISK_FULL', 'The disk is full: the last change was not saved, everything before it was.')
    })
    await refusal(runImport(request, context), 'STORE_DISK_FULL')
  })

  it('the table is changed while it is read, or before a resume', async () => {
    const { sourceDir, request } = await makeSource(many(3000), {})
    const context = createContext()
    const reading = runImport(request, context)
    const writing = appendFile(join(sourceDir, 'table.csv'), '9999,,late,1,0\n')
    await Promise.all([refusal(reading, 'IMPORT_SOURCE_CHANGED'), writing])
    const again = createContext()
    await runImport(request, again)
    const start = again.data.find((entry) => entry.kind === 'import-start')!
    await appendFile(join(sourceDir, 'table.csv'), '10000,,later,1,0\n')
    await refusal(runImport({ ...request, tableSha256: start.kind === 'import-start' ? start.start.tableSha256 : null }, createContext()), 'IMPORT_SOURCE_CHANGED')
  })

  it('one file is replaced or deleted meanwhile: it alone is told', async () => {
    const { sourceDir, request } = await makeSource(many(60), await manyFiles(60))
    const context = createContext(async (entry) => {
      if (entry.kind !== 'import-start') return
      await unlink(join(sourceDir, '58.jpg'))
      await writeFile(join(sourceDir, '59.jpg'), 'not a picture any more')
    })
    await runImport(request, context)
    const reasons = context.data.flatMap((entry) => (entry.kind === 'import-batch' ? entry.studies : [])).flatMap(({ items }) => items.flatMap(({ reason }) => reason ?? []))
    expect(reasons.sort()).toEqual(['file-missing', 'unreadable'])
  })
})

describe('odd folders and media', () => {
  interface Odd { name: string; rows?: string; make: (sourceDir: string) => Promise<unknown>; files?: Record<string, string>; issues: ErrorCode[]; present: boolean; skip?: boolean }
  const long = 'x'.repeat(5000)
  const odd: Odd[] = [
    { name: 'a link that leads to itself', make: (dir) => symlink('1.jpg', join(dir, '1.jpg')), issues: ['IMAGE_NOT_FOUND'], present: false },
    { name: 'two links that lead to each other', make: async (dir) => { await symlink('2.jpg', join(dir, '1.jpg')); await symlink('1.jpg', join(dir, '2.jpg')) }, issues: ['IMAGE_NOT_FOUND'], present: false },
    { name: 'a folder that holds a link to its parent', make: async (dir) => { await writeFile(join(dir, '1.jpg'), await jpeg(1)); await mkdir(join(dir, 'sub')); await symlink('..', join(dir, 'sub', 'up')) }, issues: [], present: true },
    { name: 'a link to a file outside the folder', make: async (dir) => { await writeFile(join(dir, '..', 'kept.jpg'), await jpeg(1)); await symlink('../kept.jpg', join(dir, '1.jpg')) }, issues: [], present: true },
    { name: 'a dead link', make: (dir) => symlink('nowhere.jpg', join(dir, '1.jpg')), issues: ['IMAGE_NOT_FOUND'], present: false },
    { name: 'a pipe named like the image', make: (dir) => Promise.resolve(execFileSync(makePipe, [join(dir, '1.jpg')])), issues: ['IMAGE_NOT_FOUND'], present: false, skip: process.platform === 'win32' },
    { name: 'a file name of 5,000 letters in the table', rows: `1,${long}.jpg,fine,1,0\n`, make: () => Promise.resolve(), issues: ['IMAGE_NOT_FOUND'], present: false },
    { name: 'a path that leads out of the folder', rows: '1,../../../../etc/passwd,fine,1,0\n', make: () => Promise.resolve(), issues: ['IMAGE_NOT_FOUND'], present: false },
    { name: 'two files that differ in capitals only', rows: '1,1.Jpg,fine,1,0\n', make: async (dir) => { await writeFile(join(dir, '1.jpg'), await jpeg(1)); await writeFile(join(dir, '1.JPG'), await jpeg(2)) }, issues: ['IMPORT_IMAGE_AMBIGUOUS', 'IMPORT_IMAGE_UNUSED'], present: false, skip: process.platform !== 'linux' },
    { name: 'two files that differ in capitals, one named exactly', make: async (dir) => { await writeFile(join(dir, '1.jpg'), await jpeg(1)); await writeFile(join(dir, '1.JPG'), await jpeg(2)) }, issues: ['IMPORT_IMAGE_UNUSED'], present: true, skip: process.platform !== 'linux' },
    { name: 'a name in decomposed letters', rows: '1,M\u00fcller.jpg,fine,1,0\n', make: async (dir) => writeFile(join(dir, 'Mu\u0308ller.jpg'), await jpeg(1)), issues: [], present: true },
    { name: 'a Windows path in the table', rows: '1,D:\\Export\\images\\1.jpg,fine,1,0\n', make: async (dir) => { await mkdir(join(dir, 'images')); await writeFile(join(dir, 'images', '1.jpg'), await jpeg(1)) }, issues: [], present: true },
    { name: 'the shadow files of another system', make: async (dir) => { await writeFile(join(dir, '1.jpg'), await jpeg(1)); await writeFile(join(dir, '._1.jpg'), 'Mac OS X'); await writeFile(join(dir, 'Thumbs.db'), 'x'); await mkdir(join(dir, '__MACOSX')); await writeFile(join(dir, '__MACOSX', '1.jpg'), 'x') }, issues: [], present: true },
    { name: 'an empty folder', make: () => Promise.resolve(), issues: ['IMAGE_NOT_FOUND'], present: false },
    { name: 'a read-only folder', make: async (dir) => { await writeFile(join(dir, '1.jpg'), await jpeg(1)); await chmod(dir, 0o555) }, issues: [], present: true },
    { name: 'a file that this user may not read', make: async (dir) => { await writeFile(join(dir, '1.jpg'), await jpeg(1)); await chmod(join(dir, '1.jpg'), 0o000) }, issues: ['IMPORT_FOLDER_UNREADABLE'], present: false, skip: isRoot },
  ]
  it.each(odd.filter(({ skip }) => skip !== true))('$name', async ({ rows = '1,1.jpg,fine,1,0\n', make, issues, present }) => {
    const { sourceDir, request } = await makeSource(rows, {})
    await make(sourceDir)
    const before = (await readdir(sourceDir)).sort()
    const { fromOrdinal: _from, tableSha256: _hash, ...asked } = request
    const check = await checkImport(asked, createContext())
    const context = createContext()
    await runImport(request, context)
    const [study] = context.data.flatMap((entry) => (entry.kind === 'import-batch' ? entry.studies : []))
    if (issues[0] !== 'IMPORT_FOLDER_UNREADABLE') expect(check.issues.map(({ code }) => code).sort()).toEqual([...issues].sort())
    expect(check.issues.every(({ fix }) => fix.length > 10)).toBe(true)
    expect(study!.items[0]).toMatchObject({ isPresent: present })
    expect(check.rowsAccepted + check.rowsRejected).toBe(check.rowsIn)
    expect((await readdir(sourceDir)).sort()).toEqual(before)
    await chmod(sourceDir, 0o755)
  })

  it.each<[string, string, ErrorCode, RegExp]>([
    ['a table that is open in another program', 'EBUSY', 'IMPORT_FILE_FAILED', /another program uses the file/],
    ['a table that this user may not read', 'EACCES', 'IMPORT_FOLDER_UNREADABLE', /may not be read/],
    ['a table that is gone', 'ENOENT', 'IMPORT_TABLE_MISSING', /cannot be found/],
    ['a table on a drive with a read error', 'EIO', 'IMPORT_FILE_FAILED', /read error/],
    ['a table in a network folder that was disconnected', 'ESTALE', 'IMPORT_FILE_FAILED', /disconnected/],
    ['a table on a drive that is no longer connected', 'ENXIO', 'IMPORT_FILE_FAILED', /no longer connected/],
  ])('%s', async (_name, systemCode, code, cause) => {
    const error = tableFileError(systemError(systemCode))
    expect(error.message).toMatch(cause)
    await refusal(Promise.reject(error), code)
  })

  it.each<[string, RegExp]>([['EIO', /read error/], ['ENODEV', /no longer connected/], ['ETIMEDOUT', /does not answer/], ['EMFILE', /too many files/], ['EBUSY', /another program/]])('an image that fails with %s stops the import with its cause', async (systemCode, cause) => {
    const folder = await makeFolder()
    const judged = judgeFileError(systemError(systemCode), join(folder, 'a.jpg'), folder)
    await expect(judged).rejects.toThrow(cause)
    await refusal(judgeFileError(systemError(systemCode), join(folder, 'a.jpg'), folder), 'IMPORT_FILE_FAILED')
  })
})

describe('the originals after an import', () => {
  const fileOf = (name: string, content: string, studyId: number) => ({ studyId, patientKey: `P-${studyId}`, slotId: 'photo', path: name, sha256: sha256(content), byteSize: content.length })

  it('says which are there, missing, changed in size or only in content, and that a folder is gone', async () => {
    const folder = await makeFolder()
    await writeFiles(folder, { 'a.jpg': 'same', 'b.jpg': 'SAME', 'c.jpg': 'longer' })
    await symlink('e.jpg', join(folder, 'e.jpg'))
    const files = [fileOf('a.jpg', 'same', 1), fileOf('b.jpg', 'same', 2), fileOf('c.jpg', 'same', 3), fileOf('d.jpg', 'same', 4), fileOf('e.jpg', 'same', 5)]
    const folders = [{ deliveryId: null, number: 1, sourceDir: folder, files }, { deliveryId: 7, number: 2, sourceDir: join(folder, 'gone'), files: files.slice(0, 2) }]
    const bySize = await checkOriginals({ depth: 'size', folders }, createContext())
    expect(bySize.folders).toMatchObject([{ isThere: true, there: 2, missing: 2, changed: 1, unreadable: 0 }, { isThere: false, there: 0, missing: 2, affected: [] }])
    const byContent = await checkOriginals({ depth: 'content', folders }, createContext())
    expect(byContent.folders[0]).toMatchObject({ there: 1, missing: 2, changed: 2 })
    expect(byContent.folders[0]!.affected.map(({ patientKey, state }) => `${patientKey} ${state}`)).toEqual(['P-2 changed', 'P-3 changed', 'P-4 missing', 'P-5 missing'])
    expect(JSON.stringify(byContent.folders.map(({ affected }) => affected))).not.toContain('.jpg')
  })

  it('is cancelled at once', async () => {
    const folder = await makeFolder()
    const context = createContext()
    context.abort.abort()
    await expect(checkOriginals({ depth: 'content', folders: [{ deliveryId: null, number: 1, sourceDir: folder, files: [fileOf('a.jpg', 'x', 1)] }] }, context)).rejects.toThrow()
  })
})
