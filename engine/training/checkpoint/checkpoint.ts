import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { basePrefix } from '../../adapters/sites/base-network.ts'
import { encodeSafetensors, openSafetensors } from '../../backbones/safetensors.ts'
import type { HostValues } from '../../compute/parameters.ts'
import { AppError } from '../../domain/errors.ts'
import { type RunConfig, runConfigSchema } from '../../domain/run.ts'
import { slotSchema } from '../../domain/slots.ts'
import { tabularStatisticsSchema } from '../../modalities/tabular.ts'
import type { CheckpointInfo } from '../../domain/exchange.ts'
import { modelCard } from './model-card.ts'
import { fromFile, peftFields, toFile } from './peft-layout.ts'

/** PEFT's two-file shape: everything needed to know what the tensors are, beside the tensors. */
const adapterConfigSchema = z.object({
  format: z.literal('lacuna-adapter-1'),
  peft_type: z.string(),
  base_model_name_or_path: z.string(),
  backboneHash: z.string(),
  config: runConfigSchema,
  slots: z.array(slotSchema),
  labelNames: z.array(z.string()),
  fold: z.number().int(),
  epoch: z.number().int(),
  /** One for each label, 0..1. */
  thresholds: z.array(z.number()),
  /** Presence patterns that training studies of the fold were shown under; absent in checkpoints of 0.1. */
  trainedPatterns: z.array(z.string()).optional(),
  /** How tabular values were standardised; absent without tables. */
  tabular: tabularStatisticsSchema.optional(),
  /** The trained copy of the backbone that the adapter stands on, in a file of its own; absent where the loaded backbone is the base. */
  base: z.object({ file: z.literal('base_model.safetensors'), sha256: z.string() }).optional(),
  /** SHA-256 of the tensors file, so that a half-copied folder is noticed; this and the rest are absent in checkpoints of 0.1. */
  tensorsSha256: z.string().optional(),
  cohortHash: z.string().optional(),
  trainedParameters: z.number().int().optional(),
  totalParameters: z.number().int().optional(),
  /** On the fold's validation patients, at this epoch. */
  validation: z.object({ macroAuroc: z.number().nullable(), loss: z.number().nullable() }).optional(),
  researchUseOnly: z.literal(true),
})
export type AdapterConfig = z.infer<typeof adapterConfigSchema>

const configName = 'adapter_config.json'
const tensorsName = 'adapter_model.safetensors'
const baseName = 'base_model.safetensors'
const cardName = 'README.md'

/**
 * Writes a checkpoint folder as a whole: built beside its place, made lasting, then put there, so that a kill or a power cut leaves the old one
 * or the new one. The name of the run is not in it: it is typed by a user, as a rule with the name of the cohort, and the folder is made to be handed on.
 *
 * @param trained trained tensors by name, row-major
 */
export function saveCheckpoint(runDir: string, kind: CheckpointInfo['kind'], config: AdapterConfig, trained: Record<string, HostValues>): CheckpointInfo {
  const foldDir = join(runDir, `fold_${config.fold}`)
  const dir = join(foldDir, kind)
  const freshDir = `${dir}.part`
  const written = { ...config, config: { ...config.config, name: nameFor(config.config) } }
  rmSync(freshDir, { recursive: true, force: true })
  mkdirSync(freshDir, { recursive: true })
  const [base, adapter] = divideBase(trained)
  const bytes = encodeSafetensors(toFile(adapter), { format: 'pt' })
  const tensorsSha256 = sha256Of(bytes)
  writeFileSync(join(freshDir, tensorsName), bytes)
  if (base !== null) written.base = writeBase(foldDir, freshDir, base)
  writeFileSync(join(freshDir, configName), `${JSON.stringify({ ...written, ...peftFields(config.config, trained), tensorsSha256 }, null, 2)}\n`)
  writeFileSync(join(freshDir, cardName), modelCard(written, trained))
  for (const name of readdirSync(freshDir)) makeLasting(join(freshDir, name))
  const oldDir = oldOf(dir)
  if (existsSync(dir)) {
    rmSync(oldDir, { recursive: true, force: true })
    renameSync(dir, oldDir)
  }
  renameSync(freshDir, dir)
  rmSync(oldDir, { recursive: true, force: true })
  return { fold: config.fold, kind, epoch: config.epoch, path: dir, sha256: tensorsSha256 }
}

/** The checkpoint before, while the new one takes its place: a folder cannot be replaced in one step. */
const oldOf = (dir: string): string => `${dir}.old`
/** Where a checkpoint lies: under its name, or, when a kill fell between the two steps, still under that of the one before. */
const placeOf = (dir: string): string => (!existsSync(dir) && existsSync(oldOf(dir)) ? oldOf(dir) : dir)
const nameFor = (config: RunConfig): string => `${config.adapter}, seed ${config.seed}`

function makeLasting(file: string): void {
  const handle = openSync(file, 'r+')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

function divideBase(trained: Record<string, HostValues>): [base: Record<string, HostValues> | null, rest: Record<string, HostValues>] {
  const isBase = ([name]: [string, HostValues]): boolean => name.startsWith(basePrefix)
  const entries = Object.entries(trained)
  const base = entries.filter(isBase)
  return [base.length === 0 ? null : Object.fromEntries(base), Object.fromEntries(entries.filter((entry) => !isBase(entry)))]
}

/** Later stages leave the base as it is: then its file is that of the checkpoint before, not written again. */
function writeBase(foldDir: string, dir: string, base: Record<string, HostValues>): NonNullable<AdapterConfig['base']> {
  const bytes = encodeSafetensors(base, { format: 'pt' })
  const sha256 = sha256Of(bytes)
  const file = join(dir, baseName)
  for (const kind of ['best', 'final']) {
    const known = join(placeOf(join(foldDir, kind)), baseName)
    if (!existsSync(known) || statSync(known).size !== bytes.byteLength || sha256Of(readFileSync(known)) !== sha256) continue
    try {
      linkSync(known, file)
      return { file: baseName, sha256 }
    } catch {
      // Not every file system has links: the bytes are written below.
    }
  }
  writeFileSync(file, bytes)
  return { file: baseName, sha256 }
}

/**
 * Reads a checkpoint, of this version or an older one. Throws RUN_CHECKPOINT_MISSING when it is not there, RUN_CHECKPOINT_DAMAGED when its
 * two files do not belong together or cannot be read, RUN_CHECKPOINT_MISMATCH when it belongs to another backbone.
 */
export function loadCheckpoint(runDir: string, fold: number, kind: CheckpointInfo['kind'], backboneHash: string): { config: AdapterConfig; trained: Record<string, HostValues> } {
  const dir = placeOf(join(runDir, `fold_${fold}`, kind))
  const which = `The ${kind} checkpoint of fold ${fold}`
  if (!existsSync(join(dir, configName)) || !existsSync(join(dir, tensorsName))) throw new AppError('RUN_CHECKPOINT_MISSING', `${which} is not there.`)
  const config = readConfig(join(dir, configName), which)
  if (config.backboneHash !== backboneHash) throw new AppError('RUN_CHECKPOINT_MISMATCH', `${which} belongs to another backbone (${config.backboneHash.slice(0, 12)}, not ${backboneHash.slice(0, 12)}).`)
  const file = join(dir, tensorsName)
  const base = config.base === undefined ? {} : readBase(join(dir, baseName), config.base.sha256, which)
  if (config.tensorsSha256 !== undefined && createHash('sha256').update(readFileSync(file)).digest('hex') !== config.tensorsSha256) {
    throw new AppError('RUN_CHECKPOINT_DAMAGED', `${which} was changed or cut short after it was written: ${tensorsName} is not the file that ${configName} names.`)
  }
  return { config, trained: { ...fromFile(readTensors(file)), ...base } }
}

function readBase(file: string, sha256: string, which: string): Record<string, HostValues> {
  if (!existsSync(file)) throw new AppError('RUN_CHECKPOINT_DAMAGED', `${which} stands on a trained base, and ${baseName} is not beside it.`)
  if (sha256Of(readFileSync(file)) !== sha256) throw new AppError('RUN_CHECKPOINT_DAMAGED', `${which} stands on another base: ${baseName} is not the file that ${configName} names.`)
  return readTensors(file)
}

/**
 * The configuration of a run with the settings that its checkpoint was trained with, where an older version did not know them: what it left
 * frozen must not be looked for among its tensors.
 */
export function configOfTraining(config: RunConfig, trained: Record<string, HostValues>): RunConfig {
  const names = Object.keys(trained)
  const hasBase = names.some((name) => name.startsWith(basePrefix))
  const embeddings = names.some((name) => name.startsWith('embeddings.'))
  const baseOf = <Settings extends { base: RunConfig['ssf']['base'] }>(settings: Settings): Settings => ({ ...settings, base: hasBase ? 'network' : 'head' })
  return {
    ...config, ssf: baseOf(config.ssf), lora: baseOf(config.lora),
    full: { ...config.full, embeddings }, bitfit: { ...config.bitfit, embeddings }, 'norm-tuning': { ...config['norm-tuning'], embeddings },
  }
}

function readConfig(file: string, which: string): AdapterConfig {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new AppError('RUN_CHECKPOINT_DAMAGED', `${which} has a ${configName} that is cut short or not JSON.`, { cause: error })
  }
  const parsed = adapterConfigSchema.safeParse(json)
  if (!parsed.success) throw new AppError('RUN_CHECKPOINT_MISMATCH', `${which} was written by another version.`)
  return parsed.data
}

/** All tensors of a safetensors file. */
export function readTensors(file: string): Record<string, HostValues> {
  const opened = openSafetensors(file)
  try {
    return Object.fromEntries([...opened.entries.keys()].map((name) => [name, opened.readFloats(name)]))
  } finally {
    opened.close()
  }
}
