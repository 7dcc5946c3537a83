/** Trains and predicts with a tiny network on the backend that LACUNA_BACKEND names, and prints every number as one JSON line. */
import { methods } from '../../../../engine/adapters/index.ts'
import type { Method } from '../../../../engine/adapters/method.ts'
import { restrictSample } from '../../../../engine/adapters/network.ts'
import { openCompute } from '../../../../engine/compute/backend.ts'
import { normalArray } from '../../../../engine/compute/random-source.ts'
import { createRng } from '../../../../engine/compute/rng.ts'
import { type Tensor1D, type Tensor2D, type Tensor4D, takeFloats } from '../../../../engine/compute/tensorflow.ts'
import { adamWConfigSchema } from '../../../../engine/training/optimise/optimizer.ts'
import { createTrainingModel } from '../../../../engine/training/optimise/training-model.ts'
import { TINY_PATTERNS, createTinyBackbone, createTinySamples, tinyModalities } from '../../adapters/tiny-backbone.ts'

const compute = await openCompute()
const { tf, kernels } = compute
const numbers: Record<string, number[]> = {}

const random = createRng(11)
const matrix = (rows: number, columns: number): Tensor2D => tf.tensor2d(normalArray(random, rows * columns, 1), [rows, columns])
const [x, dy, square] = [matrix(10, 36), matrix(10, 36), matrix(36, 36)]
const gamma = tf.tensor1d(normalArray(random, 36, 1))
const bias = tf.tensor1d(normalArray(random, 36, 1))
const keep = (name: string, ...results: { dataSync(): ArrayLike<number> }[]): void => { numbers[name] = results.flatMap((result) => Array.from(result.dataSync())) }
keep('matMul', kernels.matMul(x, square), kernels.matMul(x, square, false, true), kernels.matMul(x, dy, true))
// A long inner dimension, as patches have: backends take other programs for it.
const [patches, projection] = [matrix(36, 3072), matrix(16, 3072)]
keep('longProduct', kernels.matMul(patches, projection, false, true))
keep('layerNorm', kernels.layerNorm(x, gamma, bias, 1e-12), kernels.layerNormGradient(dy, x, gamma, 1e-12), kernels.layerNormGradient(dy, x, gamma, 1e-12, x))
const tails = tf.tensor2d([-40, -6, -3, -1, -0.3, -1e-4, 0, 1e-4, 0.3, 1, 3, 6, 40], [1, 13])
keep('gelu', kernels.gelu(tails), kernels.geluGradient(tf.onesLike(tails), tails), kernels.gelu(x, bias), kernels.geluGradient(dy, x, bias))
const [q, k, v] = kernels.splitQueryKeyValue(x, bias as Tensor1D, 2, 3)
const scores = kernels.batchMatMul(q, k, false, true)
const masked = tf.tensor4d([0, 0, 0, 0, -1e9, 0, 0, 0, 0, 0], [2, 1, 1, 5])
const p = kernels.softmax(scores, masked)
keep('attention', q, k, v, scores, p, kernels.softmax(scores, null), kernels.softmaxGradient(scores, p), kernels.batchMatMul(p, v))
keep('heads', kernels.joinQueryKeyValue(q, k, v), kernels.joinHeads(q), kernels.splitHeads(dy, 2, 3) as Tensor4D)
keep('adamW', ...kernels.adamW(x, dy, dy, dy.square(), { beta1: 0.9, beta2: 0.999, shrink: 0.99, rate: 1e-2, secondScale: 1.5, epsilon: 1e-8 }))
keep('gather', square.gather(tf.tensor1d([3, 0, 35, 3], 'int32')))
const picture: Tensor4D = tf.tensor4d(normalArray(random, 2 * 9 * 9 * 3, 1), [2, 9, 9, 3])
const filter: Tensor4D = tf.tensor4d(normalArray(random, 3 * 3 * 3 * 4, 1), [3, 3, 3, 4])
keep('convolution', picture.conv2d(filter, 2, 'same').relu(), picture.maxPool(3, 2, 'same'))

const backbone = createTinyBackbone(compute)
const { samples, labels } = createTinySamples(6)
const mixed = samples.map((sample, i) => restrictSample(sample, TINY_PATTERNS[i % 3]!)!)
const method = methods.find(({ id }) => id === 'mora') as Method<unknown>
const network = method.createNetwork(
  { compute, backbone, modalities: tinyModalities, labelsCount: 3, missingInput: 'left-out', random: createRng(1) }, method.configSchema.parse({}))
const model = createTrainingModel({ compute, network, labelsCount: 3, task: 'multi-label', labelWeights: null, optimizer: adamWConfigSchema.parse({}) })
const entries = network.computePrefix(mixed, true)
const step = (): number => model.step({ entries, labels, known: null }, 1e-2)
step()
const tensorsBefore = tf.memory().numTensors
numbers['losses'] = Array.from({ length: 2 }, step)
numbers['logits'] = [...model.predict(entries)]
const leaked = tf.memory().numTensors - tensorsBefore
numbers['trained'] = Object.values(model.exportTrained()).flatMap(({ values }) => [...values])
numbers['big'] = [takeFloats(tf.ones([300, 300]).matMul(tf.ones([300, 300]))).reduce((a, b) => a + b, 0)]
process.stdout.write(`${JSON.stringify({ kind: compute.kind, kernels: kernels.name, verdict: compute.verdict, weightsHash: backbone.weightsHash, leaked, numbers })}\n`)
