/** Jobs of the engine process about imported backbones. */
import { checkFiles } from '../../backbones/import/kept-files.ts'
import { importFolder } from '../../backbones/import/import-folder.ts'
import { openCompute } from '../../compute/backend.ts'
import type { BackboneCheck, ImportedBackbone } from '../../domain/backbones.ts'
import type { JobContext, JobRequest } from '../../protocol.ts'
import { usualTokenizerOf } from './open-backbone.ts'
import { createPace } from '../pace.ts'

const megabyte = 1024 * 1024

/** Copies, checks and describes a backbone; see `importFolder`. */
export function addBackbone(request: JobRequest<'backbone:add'>, context: JobContext): Promise<ImportedBackbone> {
  let pace: ReturnType<typeof createPace> | null = null
  let reported = -1
  return importFolder({
    from: request.from, backbonesDir: request.backbonesDir, knownIds: request.knownIds,
    usualTokenizer: usualTokenizerOf(request.weightsDir), openCompute, signal: context.signal,
    onProgress: (stage, done, total) => {
      if (total === null) {
        context.progress({ stage, done: 0, total: null, secondsLeft: null })
        return
      }
      const megabytes = Math.floor(done / megabyte)
      if (megabytes === reported) return
      reported = megabytes
      pace ??= createPace(Math.ceil(total / megabyte))
      context.progress({ stage: `${stage}, MB`, ...pace.at(megabytes) })
    },
  })
}

/** Hashes the files of one backbone and says which are not what they were. */
export async function checkBackbone({ backbone }: JobRequest<'backbone:check'>, context: JobContext): Promise<BackboneCheck> {
  const total = backbone.files.reduce((sum, { byteSize }) => sum + byteSize, 0)
  let done = 0
  const files = await checkFiles(backbone.dir, backbone.files, context.signal, (count) => {
    done += count
    context.progress({ stage: 'Hashing, MB', done: Math.floor(done / megabyte), total: Math.ceil(total / megabyte), secondsLeft: null })
  })
  return { backboneId: backbone.backboneId, isIntact: files.every(({ state }) => state === 'intact'), files }
}
