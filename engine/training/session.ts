import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findMethod } from '../adapters/index.ts'
import type { MissingInput, Phase } from '../adapters/method.ts'
import type { Network } from '../adapters/network.ts'
import { loadMmbt, type MmbtBackbone } from '../backbones/mmbt.ts'
import { openCompute, type Compute } from '../compute/backend.ts'
import type { RunConfig } from '../domain/run.ts'
import { parseTokenizerJson } from '../modalities/vocabulary.ts'
import { createWordPiece, type WordPieceTokenizer } from '../modalities/wordpiece.ts'
import type { ModalityPlan } from './inputs.ts'
import { adamWConfigSchema } from './optimizer.ts'
import { createRng } from './rng.ts'
import { createTrainingModel, type TrainingModel } from './training-model.ts'

/** The compute backend and the frozen models, opened once in an engine process and kept for its later jobs. */
export interface Session {
  compute: Compute
  backbone: MmbtBackbone
  tokenizer: WordPieceTokenizer
}

let opened: { weightsDir: string; session: Promise<Session> } | null = null

/** Opens the backend and loads the embedded backbone; a second call with the same folder returns the same session. */
export function openSession(weightsDir: string): Promise<Session> {
  if (opened?.weightsDir === weightsDir) return opened.session
  const session = (async () => {
    const compute = await openCompute()
    const backbone = await loadMmbt(compute, weightsDir)
    const vocabularyFile = join(weightsDir, 'minilm', 'tokenizer.json')
    const tokenizer = createWordPiece(parseTokenizerJson(await readFile(vocabularyFile, 'utf8'), 'tokenizer.json'))
    return { compute, backbone, tokenizer }
  })()
  opened = { weightsDir, session }
  // A failed start must not be remembered: the next try may find the missing file.
  session.catch(() => (opened = null))
  return session
}

/** The method's own settings, kept in the run's configuration under its name; some methods have none. */
function methodSettings(config: RunConfig): unknown {
  return (config as Partial<Record<string, unknown>>)[config.adapter] ?? {}
}

/**
 * How a missing modality enters. The baselines are blind to missingness: they see the blank input as if it were real.
 */
function missingInput(config: RunConfig): MissingInput {
  return (methodSettings(config) as { missingEnters?: MissingInput }).missingEnters ?? 'dummy'
}

/** The network of a run with freshly drawn trained tensors; a seed and fold give the same ones every time. */
export function createNetwork(session: Session, config: RunConfig, plan: ModalityPlan, fold: number): Network {
  const method = findMethod(config.adapter)
  return method.createNetwork({
    compute: session.compute,
    backbone: session.backbone,
    modalities: plan.modalities,
    labelsCount: config.labelIds.length,
    missingInput: missingInput(config),
    random: createRng(config.seed).fork(`init-${fold}`),
  }, method.configSchema.parse(methodSettings(config)))
}

/** The training phases of the run's method in order; null when it has one over everything. */
export function phasesOf(config: RunConfig, plan: ModalityPlan): readonly Phase[] | null {
  const method = findMethod(config.adapter)
  return method.phases?.(method.configSchema.parse(methodSettings(config)), plan.modalities) ?? null
}

/** @param labelWeights [C] class weights, or null for none */
export function createModel(session: Session, network: Network, config: RunConfig, labelWeights: Float32Array | null): TrainingModel {
  return createTrainingModel({
    compute: session.compute, network, labelWeights,
    labelsCount: config.labelIds.length, task: config.task,
    optimizer: adamWConfigSchema.parse({ weightDecay: config.weightDecay }),
  })
}

/** Whether the frozen block under the adapter can be computed once: only when the first block carries the adapter. */
export function cachesBlockOutput(config: RunConfig): boolean {
  return config.adapter === 'mora'
}
