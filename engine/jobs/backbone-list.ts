import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import minilm from '../../resources/backbones/minilm.json' with { type: 'json' }
import resnet50 from '../../resources/backbones/resnet50.json' with { type: 'json' }

export interface BackboneFile {
  name: string
  sha256: string
  byteSize: number
  /** Whether the file on disk is the pinned one; null when it is not there. */
  isIntact: boolean | null
}

export interface BackboneEntry {
  backboneId: string
  title: string
  architecture: string
  parameterCount: number
  files: BackboneFile[]
  licence: string
  source: string
}

const parts = [minilm, resnet50]
/** Counted from the two weight files: 22,713,216 (text encoder) + 23,587,712 (image encoder without its classifier). */
const embeddedParameters = 22_713_216 + 23_587_712

/** The frozen models of this installation, every file hashed now and compared with its pinned SHA-256. */
export async function listBackbones(weightsDir: string): Promise<BackboneEntry[]> {
  const files = await Promise.all(parts.flatMap((part) => part.files.map((file) => checkFile(join(weightsDir, part.name), part.name, file))))
  return [{
    backboneId: 'mmbt-minilm-resnet50',
    title: 'MiniLM + ResNet-50, joined',
    architecture: 'Multimodal bitransformer (Kiela et al. 2019): all-MiniLM-L6-v2 reads the text and the projected 7 × 7 grid of ResNet-50 of each image as one sequence.',
    parameterCount: embeddedParameters,
    files,
    licence: parts.map((part) => `${part.model}: ${part.license}`).join('; '),
    source: parts.map((part) => part.source).join('; '),
  }]
}

async function checkFile(dir: string, partName: string, file: { path: string; bytes: number; sha256: string }): Promise<BackboneFile> {
  const hash = createHash('sha256')
  const isIntact = await pipeline(createReadStream(join(dir, file.path)), hash).then(() => hash.digest('hex') === file.sha256, () => null)
  return { name: `${partName}/${file.path}`, sha256: file.sha256, byteSize: file.bytes, isIntact }
}
