import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { OriginalsFolder, OriginalsRequest, OriginalState } from '../../domain/deliveries.ts'
import { imageContentHash } from '../../modalities/image-content.ts'
import type { JobContext, JobResult } from '../../protocol.ts'
import { mapInOrder } from '../concurrency.ts'
import { systemCode } from '../file-errors.ts'
import { startStage } from '../progress.ts'

const keptAffected = 200
const statsInFlight = 32

type File = OriginalsRequest['folders'][number]['files'][number]

/**
 * Looks at every original file of a cohort: by size, which takes a moment, or by its whole content, which reads everything once.
 * Nothing is written and nothing is put right here. A folder that is gone is one finding, not one for each of its files.
 */
export async function checkOriginals(request: OriginalsRequest, context: JobContext): Promise<JobResult<'originals:check'>> {
  const total = request.folders.reduce((sum, folder) => sum + folder.files.length, 0)
  const stage = startStage(context, 'Checking the original files', total)
  let done = 0
  const folders: OriginalsFolder[] = []
  for (const { deliveryId, number, sourceDir, files } of request.folders) {
    const folder: OriginalsFolder = { deliveryId, number, sourceDir, isThere: await isFolder(sourceDir), fileCount: files.length, there: 0, missing: 0, changed: 0, unreadable: 0, depth: request.depth, affected: [] }
    folders.push(folder)
    if (!folder.isThere) {
      folder.missing = files.length
      stage.set(done += files.length)
      continue
    }
    const inFlight = request.depth === 'size' ? statsInFlight : 1 + availableParallelism()
    for await (const { file, state } of mapInOrder(files, inFlight, async (item) => ({ file: item, state: await stateOf(join(sourceDir, item.path), item, request.depth, context.signal) }))) {
      context.signal.throwIfAborted()
      folder[state]++
      if (state !== 'there' && folder.affected.length < keptAffected) folder.affected.push({ studyId: file.studyId, patientKey: file.patientKey, slotId: file.slotId, state })
      stage.set(++done)
    }
    // A drive that was pulled out meanwhile: its last files would be told as missing one by one.
    folder.isThere = await isFolder(sourceDir)
  }
  return { folders }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then((info) => info.isDirectory(), () => false)
}

async function stateOf(path: string, file: File, depth: OriginalsRequest['depth'], signal: AbortSignal): Promise<OriginalState> {
  try {
    const info = await stat(path)
    if (!info.isFile()) return 'missing'
    if (info.size !== file.byteSize) return 'changed'
    if (depth === 'size') return 'there'
    const hash = createHash('sha256')
    await pipeline(createReadStream(path), hash, { signal })
    return imageContentHash(hash.digest('hex'), file.frame ?? 0) === file.sha256 ? 'there' : 'changed'
  } catch (error) {
    signal.throwIfAborted()
    return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error)) ? 'missing' : 'unreadable'
  }
}
