/** Every method on cohorts of three and four modalities, on one model for all and on separate encoders, under every non-empty subset. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findMethod, methods } from '../../../engine/adapters/index.ts'
import { type ModalitySpec, type Network, type Sample, presenceOf, restrictSample } from '../../../engine/adapters/network.ts'
import type { Backbone, SamplePart } from '../../../engine/backbones/backbone.ts'
import { loadBert, parseBertConfig } from '../../../engine/backbones/bert.ts'
import { loadClip, parseClipConfig } from '../../../engine/backbones/encoders/clip.ts'
import { bertTower, clipTowers, createTowers, vitTower } from '../../../engine/backbones/encoders/towers.ts'
import { loadVit, parseVitConfig } from '../../../engine/backbones/encoders/vit.ts'
import { withTabularTokens } from '../../../engine/backbones/tabular-tokens.ts'
import { loadVilt, parseViltConfig } from '../../../engine/backbones/vilt.ts'
import { randomWeightSource } from '../../../engine/backbones/weight-source.ts'
import { type Compute, openCompute } from '../../../engine/compute/backend.ts'
import { normalArray } from '../../../engine/compute/random-source.ts'
import { createRng } from '../../../engine/compute/rng.ts'
import { methodsOnSeparateEncoders } from '../../../engine/domain/backbones.ts'
import { TABULAR_WIDTH } from '../../../engine/modalities/tabular.ts'
import { adamWConfigSchema } from '../../../engine/training/optimise/optimizer.ts'
import { createTrainingModel } from '../../../engine/training/optimise/training-model.ts'

const CLASSES = 2
const tiny = { hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 24 }
const bertConfig = parseBertConfig({ model_type: 'bert', vocab_size: 160, max_position_embeddings: 16, ...tiny })
const vitConfig = parseVitConfig({ model_type: 'vit', image_size: 8, patch_size: 4, ...tiny })
const weights = (seed: number) => randomWeightSource(createRng(seed), `tiny ${seed}`, 0.2)

/** Each on tokens or features of its own kind; tables come on top of any. */
const backbones: Record<string, (compute: Compute) => Backbone> = {
  // Two image types for two eyes.
  'ViLT': (compute) => loadVilt(compute, weights(1), parseViltConfig({ model_type: 'vilt', vocab_size: 160, image_size: 8, patch_size: 4, max_position_embeddings: 12, modality_type_vocab_size: 3, ...tiny })),
  'BERT and ViT': (compute) => createTowers({ id: 'pair', hash: 'pair', emptyText: Int32Array.of(101, 102), text: bertTower(loadBert(compute, weights(2), bertConfig)), image: vitTower(compute, loadVit(compute, weights(3), vitConfig)) }),
  'CLIP': (compute) => createTowers({ id: 'clip', hash: 'clip', emptyText: Int32Array.of(0, 159), ...clipTowers(compute, loadClip(compute, weights(4), parseClipConfig({
    projection_dim: 12, text_config: { vocab_size: 160, max_position_embeddings: 12, eos_token_id: 159, ...tiny }, vision_config: { image_size: 8, patch_size: 4, ...tiny },
  }))) }),
}

/** Notes, two eyes and a table; as the slots of a cohort, each a modality, and by kind, as the paper's modalities. */
const bySlot: ModalitySpec[] = [
  { name: 'text', kind: 'text', slots: [] }, { name: 'right-eye', kind: 'image', slots: [0] }, { name: 'left-eye', kind: 'image', slots: [1] }, { name: 'clinic', kind: 'tabular', slots: [0] },
]
const byKind: ModalitySpec[] = [{ name: 'text', kind: 'text', slots: [] }, { name: 'image', kind: 'image', slots: [0, 1] }, { name: 'tabular', kind: 'tabular', slots: [0] }]

function samplesFor(modalities: readonly ModalitySpec[]): Sample[] {
  const random = createRng(6)
  const modalityOf = (kind: ModalitySpec['kind'], slot: number): number => modalities.findIndex((spec) => spec.kind === kind && (kind === 'text' || spec.slots.includes(slot)))
  return Array.from({ length: 4 }, (_, i): SamplePart[] => [
    { kind: 'text', modality: modalityOf('text', 0), ids: Int32Array.of(101, ...Array.from({ length: 1 + i }, () => 110 + random.integer(40)), 159) },
    ...[0, 1].map((slot): SamplePart => ({ kind: 'pixels', modality: modalityOf('image', slot), slot, pixels: normalArray(random, 3 * 8 * 8, 1), height: 8, width: 8 })),
    { kind: 'tabular', modality: modalityOf('tabular', 0), slot: 0, features: normalArray(random, TABULAR_WIDTH, 0.1) },
  ])
}
const labels = Float32Array.of(1, 0, 0, 1, 1, 1, 0, 0)

let compute: Compute
const opened = new Map<string, Backbone>()
beforeAll(async () => {
  compute = await openCompute()
  for (const [name, open] of Object.entries(backbones)) opened.set(name, withTabularTokens(compute, open(compute)))
})
afterAll(() => opened.forEach((backbone) => backbone.dispose()))

function build(id: string, config: object, backbone: Backbone, modalities: ModalitySpec[], missingInput: 'dummy' | 'left-out'): { network: Network; model: ReturnType<typeof createTrainingModel> } {
  const method = findMethod(id)
  const network = method.createNetwork({ compute, backbone, modalities, labelsCount: CLASSES, missingInput, random: createRng(1) }, method.configSchema.parse(config))
  return { network, model: createTrainingModel({ compute, network, labelsCount: CLASSES, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}) }) }
}

const variants = [...methods.map(({ id }): [string, object] => [id, {}]), ['lora', { by: 'combination' }], ['ssf', { training: 'joint' }], ['prompt', { level: 'attention', length: 4 }], ['mora', { beside: 'attention', blocks: [0, 1], rank: 2 }]] as [string, object][]
const cases = Object.keys(backbones).flatMap((name) => variants.filter(([id]) => name === 'ViLT' || methodsOnSeparateEncoders.has(id)).flatMap(([id, config]) =>
  ([['slots', bySlot, 'left-out'], ['kinds', byKind, 'dummy']] as const).map(([grouping, modalities, missing]) => [name, id, JSON.stringify(config), grouping, modalities, missing] as const)))

describe.each(cases)('%s: %s %s by %s', (name, id, config, _grouping, modalities, missing) => {
  it('learns from every subset, answers for every subset, alone as in a batch, and again after loading', () => {
    const backbone = opened.get(name)!
    const before = compute.tf.memory().numTensors
    const { network, model } = build(id, JSON.parse(config) as object, backbone, modalities, missing)
    const complete = samplesFor(modalities)
    const subsets = Array.from({ length: 2 ** modalities.length - 1 }, (_, i) => i + 1)
    const shown = subsets.map((pattern) => restrictSample(complete[pattern % complete.length]!, pattern)!)
    expect(shown.map(presenceOf)).toEqual(subsets)
    const entries = network.computePrefix(shown, true)
    const batch = { entries, labels: Float32Array.from(subsets.flatMap((pattern) => [...labels.slice(2 * (pattern % 4), 2 * (pattern % 4) + 2)])), known: null }
    const losses = Array.from({ length: 12 }, () => model.step(batch, 5e-3))
    expect(losses.every(Number.isFinite)).toBe(true)
    expect(losses.at(-1)!).toBeLessThan(losses[0]!)
    // What belongs to a combination learned from it: none is left as it began, and each answers for itself.
    expect(subsets.map((pattern) => network.serving?.(pattern) ?? 'trained')).toEqual(subsets.map(() => 'trained'))
    const together = model.predict(entries, 16)
    expect(together.every(Number.isFinite)).toBe(true)
    entries.forEach((entry, i) => model.predict([entry]).forEach((value, c) => expect(value).toBeCloseTo(together[i * CLASSES + c]!, 4)))
    const again = build(id, JSON.parse(config) as object, backbone, modalities, missing)
    again.model.importTrained(model.exportTrained())
    const loaded = again.model.predict(again.network.computePrefix(shown, true), 16)
    loaded.forEach((value, i) => expect(value).toBeCloseTo(together[i]!, 5))
    model.dispose()
    again.model.dispose()
    expect(compute.tf.memory().numTensors).toBe(before)
  })
})

describe.each(Object.keys(backbones))('%s', (name) => {
  it('gives each eye, the notes and the table a place of its own in what a model reads', () => {
    const backbone = opened.get(name)!
    const [sample] = samplesFor(bySlot)
    const embed = (parts: Sample): Float32Array => backbone.embed([parts])[0]!.x
    const whole = embed(sample!)
    for (let m = 0; m < 4; m++) {
      const changed = sample!.map((part): SamplePart => (part.modality !== m ? part
        : part.kind === 'text' ? { ...part, ids: part.ids.map((token, i) => (i === 1 ? 120 : token)) }
          : part.kind === 'pixels' ? { ...part, pixels: part.pixels.map((value) => -value) } : { ...(part as Extract<SamplePart, { kind: 'tabular' }>), features: (part as Extract<SamplePart, { kind: 'tabular' }>).features.map((value) => -value) }))
      expect(embed(changed)).not.toEqual(whole)
    }
    // One eye in the place of the other is another input, where a model knows image types.
    const [right, left] = sample!.filter((part) => part.kind === 'pixels')
    if (name === 'ViLT') expect(embed([{ ...right!, slot: 1, modality: 2 } as SamplePart])).not.toEqual(embed([right!]))
    expect(left).toBeDefined()
  })
})
