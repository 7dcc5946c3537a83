import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { encodeSafetensors, openSafetensors } from '../backbones/safetensors.ts'
import type { HostValues } from '../compute/parameters.ts'
import { AppError } from '../domain/errors.ts'
import { runConfigSchema } from '../domain/run.ts'
import { slotSchema } from '../domain/slots.ts'
import type { CheckpointInfo } from '../domain/exchange.ts'

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
  researchUseOnly: z.literal(true),
})
export type AdapterConfig = z.infer<typeof adapterConfigSchema>

const configName = 'adapter_config.json'
const tensorsName = 'adapter_model.safetensors'

/**
 * Writes a checkpoint folder as a whole: built beside its place, then renamed, so that a kill leaves the old one or the new one.
 *
 * @param trained trained tensors by name, row-major
 */
export function saveCheckpoint(runDir: string, kind: CheckpointInfo['kind'], config: AdapterConfig, trained: Record<string, HostValues>): CheckpointInfo {
  const foldDir = join(runDir, `fold_${config.fold}`)
  const dir = join(foldDir, kind)
  const freshDir = `${dir}.part`
  rmSync(freshDir, { recursive: true, force: true })
  mkdirSync(freshDir, { recursive: true })
  const bytes = encodeSafetensors(trained, { format: 'pt' })
  writeFileSync(join(freshDir, tensorsName), bytes)
  writeFileSync(join(freshDir, configName), `${JSON.stringify(config, null, 2)}\n`)
  rmSync(dir, { recursive: true, force: true })
  renameSync(freshDir, dir)
  return { fold: config.fold, kind, epoch: config.epoch, path: dir, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Reads a checkpoint; throws RUN_CHECKPOINT_MISSING when it is not there, RUN_CHECKPOINT_MISMATCH when it does not fit the backbone. */
export function loadCheckpoint(runDir: string, fold: number, kind: CheckpointInfo['kind'], backboneHash: string): { config: AdapterConfig; trained: Record<string, HostValues> } {
  const dir = join(runDir, `fold_${fold}`, kind)
  if (!existsSync(join(dir, configName))) throw new AppError('RUN_CHECKPOINT_MISSING', `The ${kind} checkpoint of fold ${fold} is not there.`)
  const parsed = adapterConfigSchema.safeParse(JSON.parse(readFileSync(join(dir, configName), 'utf8')))
  if (!parsed.success) throw new AppError('RUN_CHECKPOINT_MISMATCH', `The ${kind} checkpoint of fold ${fold} was written by another version.`)
  if (parsed.data.backboneHash !== backboneHash) throw new AppError('RUN_CHECKPOINT_MISMATCH', `The ${kind} checkpoint of fold ${fold} belongs to another backbone (${parsed.data.backboneHash.slice(0, 12)}, not ${backboneHash.slice(0, 12)}).`)
  return { config: parsed.data, trained: readTensors(join(dir, tensorsName)) }
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
