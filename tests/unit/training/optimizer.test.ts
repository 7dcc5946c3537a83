import { expect, it } from 'vitest'
import { openCompute } from '../../../engine/compute/backend.ts'
import { createParameterSet } from '../../../engine/compute/parameters.ts'
import { adamWConfigSchema, createAdamW } from '../../../engine/training/optimise/optimizer.ts'

it('has state for what is trained at the moment, and for nothing else', async () => {
  const compute = await openCompute()
  const { tf } = compute
  const parameters = createParameterSet(tf)
  const trained = parameters.add('adapter', new Float32Array(6), [2, 3], 'adapter')
  const resting = parameters.add('head', new Float32Array(1000), [1000], 'head')
  resting.isTrained = false
  const before = tf.memory()
  const optimizer = createAdamW(compute, parameters, adamWConfigSchema.parse({}))
  // Two moments of six floats.
  expect(tf.memory().numBytes - before.numBytes).toBe(2 * 6 * 4)
  const state = optimizer.exportState()
  expect([Object.keys(state.first), Object.keys(state.second)]).toEqual([[trained.name], [trained.name]])
  optimizer.dispose()
  expect(tf.memory().numTensors).toBe(before.numTensors)
  parameters.dispose()
})
