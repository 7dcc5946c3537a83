/** Provokes what a graphics device can do wrong, and prints what the engine made of it. */
import { openCompute } from '../../../../engine/compute/backend.ts'
import { isOutOfMemory } from '../../../../engine/compute/out-of-memory.ts'
import { AppError } from '../../../../engine/domain/errors.ts'

const { tf, settle } = await openCompute()
const { device } = tf.backend() as unknown as { device: GPUDevice }
const whatOf = (work: () => string): string => {
  try {
    return work()
  } catch (error) {
    if (error instanceof AppError) return error.code
    return isOutOfMemory(error) ? 'out of memory' : String((error as Error).message).slice(0, 6)
  }
}
// 40 GB in one tensor: more than any device gives in one piece.
const tooLarge = whatOf(() => String(tf.tidy(() => tf.fill([100_000, 100_000], 1).add(1).sum().dataSync()[0])))
const product = (): number => tf.tidy(() => tf.ones([80, 80]).matMul(tf.ones([80, 80])).sum().dataSync()[0]!)
const afterwards = whatOf(() => (product() === 80 ** 3 ? 'right' : 'wrong'))
// An invalid command is reported by the next settle, before any update.
const late = whatOf(() => {
  device.createBindGroupLayout({ entries: [{ binding: 1e9, visibility: 4, buffer: {} }] })
  settle()
  return 'unnoticed'
})
const lost = whatOf(() => {
  device.destroy()
  return String(product())
})
process.stdout.write(`${JSON.stringify({ tooLarge, afterwards, late, lost })}\n`)
