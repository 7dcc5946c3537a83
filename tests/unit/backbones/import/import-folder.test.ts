import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { importFolder, type ImportFolderOptions } from '../../../../engine/backbones/import/import-folder.ts'
import { checkFiles, contentHashOf } from '../../../../engine/backbones/import/kept-files.ts'
import { joinPair, loadImported } from '../../../../engine/backbones/import/load-imported.ts'
import { encodeSafetensors } from '../../../../engine/backbones/safetensors.ts'
import { type Compute, openCompute } from '../../../../engine/compute/backend.ts'
import { AppError } from '../../../../engine/domain/errors.ts'
import { bertConfig, bertShapes, originalViltTensors, randomTensors, viltConfig, viltShapes, vitConfig, vitShapes, writeFolder } from './tiny-folders.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'lacuna-backbones-'))
const fixtures = path.join(import.meta.dirname, '..', '..', '..', 'fixtures', 'weights')
let compute: Compute
let folders = 0
const fresh = () => path.join(folder, `source-${folders++}`)

beforeAll(async () => { compute = await openCompute() })
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const add = (from: string, changes: Partial<ImportFolderOptions> = {}) => importFolder({
  from, backbonesDir: path.join(folder, 'backbones'), knownIds: [], usualTokenizer: () => null, openCompute: async () => compute,
  signal: new AbortController().signal, onProgress: () => {}, ...changes,
})
const open = (found: Awaited<ReturnType<typeof add>>, textTokens?: number) => loadImported(compute, {
  id: found.backboneId, hash: found.contentHash, dir: path.join(folder, 'backbones', found.backboneId), names: found.files.map(({ name }) => name),
}, { textTokens })
const text = (...ids: number[]) => ({ kind: 'text' as const, modality: 0, ids: Int32Array.of(101, ...ids, 102) })
const image = (side: number, slot = 0) => ({ kind: 'pixels' as const, modality: 1, slot, height: side, width: side, pixels: Float32Array.from({ length: 3 * side * side }, (_, i) => Math.sin(i)) })

describe('a folder that is what it says', () => {
  const card = '---\nlicense: apache-2.0\nbase_model: someone/tiny\n---\n# Tiny\n'

  it('is copied, hashed, opened and described', async () => {
    const before = compute.tf.memory().numTensors
    const from = writeFolder(fresh(), viltConfig, { ...randomTensors(viltShapes), 'head.weight': { shape: [2], values: new Float32Array(2) } }, { 'README.md': card, 'optimizer.pt.txt': 'left behind' })
    const found = await add(from)
    expect(found).toMatchObject({ architecture: 'vilt', reads: 'joint', licence: 'apache-2.0', source: 'someone/tiny', notes: [], sizes: { width: 64, blocks: 2, textPositions: 12, imageSize: 32 } })
    expect(found.files.map(({ name }) => name)).toEqual(['README.md', 'config.json', 'model.safetensors', 'preprocessor_config.json', 'vocab.txt'])
    expect(found.tensors.filter(({ isUsed }) => !isUsed).map(({ name }) => name)).toEqual(['head.weight'])
    expect(found.parameterCount).toBe(Object.values(viltShapes).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0))
    expect(found.contentHash).toBe(contentHashOf(found.files))
    expect(await checkFiles(path.join(folder, 'backbones', found.backboneId), found.files, new AbortController().signal)).toEqual(found.files.map(({ name }) => ({ name, state: 'intact', detail: '' })))
    expect(compute.tf.memory().numTensors).toBe(before)
    await expect(add(from, { knownIds: [found.backboneId] })).rejects.toMatchObject({ code: 'BACKBONE_ALREADY_ADDED' })
  })

  it('gives the same numbers from a whole file, from shards, with a prefix, and under the names of its authors', async () => {
    const tensors = randomTensors(viltShapes)
    const names = Object.keys(tensors)
    const half = (part: number) => Object.fromEntries(names.filter((_, i) => i % 2 === part).map((name) => [name, tensors[name]!]))
    const index = { metadata: {}, weight_map: Object.fromEntries(names.map((name, i) => [name, `model-0000${i % 2 + 1}-of-00002.safetensors`])) }
    const sources = [
      writeFolder(fresh(), viltConfig, tensors),
      writeFolder(fresh(), viltConfig, tensors, { 'model.safetensors': null, 'model-00001-of-00002.safetensors': encodeSafetensors(half(0)), 'model-00002-of-00002.safetensors': encodeSafetensors(half(1)), 'model.safetensors.index.json': JSON.stringify(index) }),
      writeFolder(fresh(), viltConfig, Object.fromEntries(names.map((name) => [`vilt.${name}`, tensors[name]!]))),
      // Without a config.json the sizes come from the tensors.
      path.join(writeFolder(fresh(), viltConfig, {}, { 'config.json': null, 'model.safetensors': null, 'vilt.safetensors': encodeSafetensors(originalViltTensors(tensors)) }), 'vilt.safetensors'),
    ]
    const answers = []
    for (const from of sources) {
      const { backbone } = open(await add(from))
      answers.push([...backbone.describePart(text(104, 105)), ...backbone.describePart(image(48)), ...backbone.embed([[text(104), image(32, 0), image(32, 1)]])[0]!.x])
      backbone.dispose()
    }
    expect(answers[0]!.every(Number.isFinite)).toBe(true)
    for (const answer of answers.slice(1)) expect(answer).toEqual(answers[0])
  })

  it('reads texts beyond its table by stretching it, and further images with a copy of the first type', async () => {
    const found = await add(writeFolder(fresh(), viltConfig, randomTensors(viltShapes, 8)))
    const long = text(...new Array<number>(20).fill(105))
    const own = open(found)
    expect(() => own.backbone.embed([[long]])).toThrow(expect.objectContaining({ code: 'TEXT_TOO_LONG' }))
    const [first, second] = [0, 1].map((slot) => own.backbone.embed([[image(32, slot)]])[0]!.x)
    expect(second).toEqual(first)
    own.backbone.dispose()
    const stretched = open(found, 24)
    expect(stretched.backbone.embed([[long]])[0]!.tokens).toBe(22)
    stretched.backbone.dispose()
  })

  it('may be a snapshot of the Hugging Face cache, whose files are links, with links that lead nowhere beside them', async () => {
    const from = path.join(fresh(), 'snapshots', '0a1b')
    writeFolder(from, vitConfig, randomTensors(vitShapes, 11))
    const blobs = path.join(from, '..', '..', 'blobs')
    mkdirSync(blobs)
    for (const [i, name] of readdirSync(from).entries()) {
      renameSync(path.join(from, name), path.join(blobs, `blob${i}`))
      symlinkSync(path.join('..', '..', 'blobs', `blob${i}`), path.join(from, name))
    }
    symlinkSync('LICENSE', path.join(from, 'LICENSE'))
    symlinkSync('gone', path.join(from, 'vocab.txt'))
    expect((await add(from)).files.map(({ name }) => name)).toEqual(['config.json', 'model.safetensors', 'preprocessor_config.json'])
  })

  it('may be made for images and patches that are not square, and says so in its sizes', async () => {
    const config = { ...vitConfig, image_size: [32, 48], patch_size: [16, 8], hidden_act: 'hardswish' }
    const shapes = { ...vitShapes, 'embeddings.position_embeddings': [1, 13, 32], 'embeddings.patch_embeddings.projection.weight': [32, 3, 16, 8] }
    const found = await add(writeFolder(fresh(), config, randomTensors(shapes), { 'preprocessor_config.json': null }))
    expect(found.sizes).toMatchObject({ imageSize: [32, 48], patchSize: [16, 8] })
    expect(found.notes).toEqual(['There is no preprocessor_config.json: images are prepared as the published VIT models want them, at 48 x 32 pixels.'])
    const { backbone, images } = open(found)
    expect(images).toMatchObject({ kind: 'vit', width: 48, height: 32 })
    for (const side of [32, 40]) expect(Math.hypot(...backbone.describePart(image(side)))).toBeCloseTo(1, 5)
    backbone.dispose()
  })

  it('says that it keeps every patch where the reference of ViLT would draw some', async () => {
    for (const [limit, notes] of [[-1, []], [3, [expect.stringContaining('limits an image to 3 patches (max_image_length), drawn at random')]]] as const) {
      const found = await add(writeFolder(fresh(), { ...viltConfig, max_image_length: limit }, randomTensors(viltShapes)))
      expect(found.notes).toEqual(notes)
      const { backbone } = open(found)
      expect(backbone.embed([[image(48)]])[0]!.tokens).toBe(10)
      backbone.dispose()
    }
  })

  it('joins a text and an image encoder as a pair for late fusion', async () => {
    const bert = open(await add(writeFolder(fresh(), bertConfig, randomTensors(bertShapes))))
    const vit = open(await add(writeFolder(fresh(), vitConfig, randomTensors(vitShapes))))
    expect(() => joinPair(bert, bert)).toThrow(expect.objectContaining({ code: 'BACKBONE_LACKS_MODALITY' }))
    expect(() => bert.backbone.describePart(image(32))).toThrow(expect.objectContaining({ code: 'BACKBONE_LACKS_MODALITY' }))
    const { backbone, tokenizer, images } = joinPair(vit, bert)
    expect([backbone.describedWidth('text'), backbone.describedWidth('image'), backbone.width]).toEqual([64, 32, 96])
    expect(tokenizer).not.toBeNull()
    expect(images).toMatchObject({ kind: 'vit', width: 32 })
    for (const part of [text(104), image(32), image(64)]) expect(Math.hypot(...backbone.describePart(part))).toBeCloseTo(1, 5)
    const [sample] = backbone.embed([[text(104), image(32)]])
    expect([...sample!.segments]).toEqual([0, 1])
    expect(sample!.x.slice(64, 96).every((value) => value === 0)).toBe(true)
    const before = compute.tf.memory().numTensors
    backbone.embed([[text(104), image(32), image(48, 1)]])
    expect(compute.tf.memory().numTensors).toBe(before)
    backbone.dispose()
  })

  it('keeps older spellings of layer norms and leaves a pooler out that is not there', async () => {
    const tensors = randomTensors(bertShapes)
    const old = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`bert.${name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta')}`, tensor]))
    const [a, b] = [open(await add(writeFolder(fresh(), bertConfig, tensors))), open(await add(writeFolder(fresh(), bertConfig, old)))]
    expect(b.backbone.describePart(text(104, 106))).toEqual(a.backbone.describePart(text(104, 106)))
    a.backbone.dispose()
    b.backbone.dispose()
  })
})

describe('a folder that is not', () => {
  const without = (name: string) => Object.fromEntries(Object.entries(randomTensors(vitShapes)).filter(([key]) => key !== name))
  const withBad = (value: number, name = 'encoder.layer.0.output.dense.weight') => {
    const tensors = randomTensors(vitShapes)
    tensors[name]!.values[5] = value
    return tensors
  }
  it.each<[string, (dir: string) => string, string]>([
    ['nothing there', (dir) => `${dir}-absent`, 'BACKBONE_FOLDER_INCOMPLETE'],
    ['no weights', (dir) => writeFolder(dir, vitConfig, {}, { 'model.safetensors': null }), 'BACKBONE_FOLDER_INCOMPLETE'],
    ['no config.json', (dir) => writeFolder(dir, vitConfig, randomTensors(vitShapes), { 'config.json': null }), 'BACKBONE_FOLDER_INCOMPLETE'],
    ['a part of the weights missing', (dir) => writeFolder(dir, vitConfig, {}, { 'model.safetensors': null, 'model.safetensors.index.json': JSON.stringify({ weight_map: { x: 'model-00001-of-00002.safetensors' } }) }), 'BACKBONE_FOLDER_INCOMPLETE'],
    ['an index that leaves its folder', (dir) => writeFolder(dir, vitConfig, {}, { 'model.safetensors': null, 'model.safetensors.index.json': JSON.stringify({ weight_map: { x: '../../secret.safetensors' } }) }), 'WEIGHTS_FILE_INVALID'],
    ['another architecture', (dir) => writeFolder(dir, { ...bertConfig, model_type: 'distilbert' }, {}), 'BACKBONE_CONFIG_UNSUPPORTED'],
    ['a decoder', (dir) => writeFolder(dir, { ...bertConfig, is_decoder: true }, {}), 'BACKBONE_CONFIG_UNSUPPORTED'],
    ['heads that do not share the width', (dir) => writeFolder(dir, { ...vitConfig, num_attention_heads: 5 }, {}), 'BACKBONE_CONFIG_UNSUPPORTED'],
    ['a config.json that is a list', (dir) => writeFolder(dir, vitConfig, randomTensors(vitShapes), { 'config.json': '[]' }), 'BACKBONE_CONFIG_UNSUPPORTED'],
    ['sizes of another model', (dir) => writeFolder(dir, { ...vitConfig, hidden_size: 64 }, randomTensors(vitShapes)), 'WEIGHTS_SHAPE_MISMATCH'],
    ['an image size that claims gigabytes', (dir) => writeFolder(dir, { ...vitConfig, image_size: 2_000_000 }, randomTensors(vitShapes)), 'WEIGHTS_SHAPE_MISMATCH'],
    ['a billion blocks', (dir) => writeFolder(dir, { ...vitConfig, num_hidden_layers: 1_000_000_000 }, randomTensors(vitShapes)), 'WEIGHTS_TENSOR_MISSING'],
    ['a missing tensor', (dir) => writeFolder(dir, vitConfig, without('layernorm.bias')), 'WEIGHTS_TENSOR_MISSING'],
    ['NaN among the weights', (dir) => writeFolder(dir, vitConfig, withBad(NaN)), 'WEIGHTS_NOT_FINITE'],
    ['an infinite weight', (dir) => writeFolder(dir, vitConfig, withBad(-Infinity)), 'WEIGHTS_NOT_FINITE'],
    ['weights that overflow', (dir) => writeFolder(dir, vitConfig, withBad(3e38, 'layernorm.bias')), 'WEIGHTS_NOT_FINITE'],
    ['a pickle with code', (dir) => writeFolder(dir, vitConfig, {}, { 'model.safetensors': null, 'pytorch_model.bin': readFileSync(path.join(fixtures, 'evil.bin')) }), 'WEIGHTS_PICKLE_REFUSED'],
    ['a tokeniser that is larger than the model', (dir) => writeFolder(dir, { ...bertConfig, vocab_size: 120 }, randomTensors({ ...bertShapes, 'embeddings.word_embeddings.weight': [120, 64] })), 'TOKENIZER_INVALID'],
    ['a README that is a link to a private file', (dir) => {
      writeFileSync(`${dir}-private`, 'a secret')
      symlinkSync(`${dir}-private`, path.join(writeFolder(dir, vitConfig, randomTensors(vitShapes)), 'README.md'))
      return dir
    }, 'BACKBONE_FOLDER_INCOMPLETE'],
    ['a list of parts of a gigabyte', (dir) => {
      truncateSync(path.join(writeFolder(dir, vitConfig, {}, { 'model.safetensors': null, 'model.safetensors.index.json': '{' }), 'model.safetensors.index.json'), 2 ** 30)
      return dir
    }, 'WEIGHTS_CLAIM_TOO_LARGE'],
    ['images of a million pixels a side', (dir) => writeFolder(dir, vitConfig, randomTensors(vitShapes), { 'preprocessor_config.json': JSON.stringify({ image_processor_type: 'ViTImageProcessor', image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5], size: { height: 1_000_000, width: 1_000_000 }, resample: 3 }) }), 'BACKBONE_CONFIG_UNSUPPORTED'],
    ['half a file', (dir) => {
      truncateSync(path.join(writeFolder(dir, vitConfig, randomTensors(vitShapes)), 'model.safetensors'), 20_000)
      return dir
    }, 'WEIGHTS_FILE_INVALID'],
  ])('%s is refused and leaves nothing behind', async (_, make, code) => {
    const backbonesDir = path.join(folder, `kept-${folders}`)
    const before = { rss: process.memoryUsage().rss, tensors: compute.tf.memory().numTensors }
    const error: unknown = await add(make(fresh()), { backbonesDir }).then(() => null, (reason: unknown) => reason)
    expect(error).toBeInstanceOf(AppError)
    expect(error).toMatchObject({ code })
    expect(existsSync(backbonesDir) ? readdirSync(backbonesDir) : []).toEqual([])
    expect(compute.tf.memory().numTensors).toBe(before.tensors)
    expect(process.memoryUsage().rss - before.rss).toBeLessThan(256 * 1024 * 1024)
  })

  it('a cancelled copy leaves nothing behind', async () => {
    const abort = new AbortController()
    const backbonesDir = path.join(folder, 'cancelled')
    const adding = add(writeFolder(fresh(), vitConfig, randomTensors(vitShapes)), { backbonesDir, signal: abort.signal, onProgress: (stage) => { if (stage.startsWith('Copying')) abort.abort() } })
    await expect(adding).rejects.toThrow()
    expect(readdirSync(backbonesDir)).toEqual([])
  })

  it('names the file that was changed, cut short or taken away later', async () => {
    const found = await add(writeFolder(fresh(), vitConfig, randomTensors(vitShapes, 9)))
    const dir = path.join(folder, 'backbones', found.backboneId)
    const bytes = readFileSync(path.join(dir, 'model.safetensors'))
    bytes[bytes.length - 1]! ^= 1
    writeFileSync(path.join(dir, 'model.safetensors'), bytes)
    truncateSync(path.join(dir, 'config.json'), 5)
    rmSync(path.join(dir, 'preprocessor_config.json'))
    const states = Object.fromEntries((await checkFiles(dir, found.files, new AbortController().signal)).map(({ name, state }) => [name, state]))
    expect(states).toEqual({ 'config.json': 'cut-short', 'model.safetensors': 'changed', 'preprocessor_config.json': 'missing' })
  })
})
