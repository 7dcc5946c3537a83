import { createRequire } from 'node:module'
import path from 'node:path'
import type { Tf } from '../tensorflow.ts'
import type { Trial } from './facts.ts'
import { isRightProduct } from './self-test.ts'
import { errorLine } from './words.ts'

const require = createRequire(import.meta.url)

/** Starts WebAssembly (single-threaded in Node) and makes it the active TensorFlow.js backend. */
export async function openWasm(processor: string): Promise<{ trial: Trial; tf: Tf | null }> {
  try {
    const tf = require('@tensorflow/tfjs') as Tf
    const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void }
    wasm.setWasmPaths(path.join(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), path.sep))
    if (!(await tf.setBackend('wasm'))) throw new Error('the WebAssembly backend did not start')
    await tf.ready()
    if (!isRightProduct(tf)) throw new Error('it multiplies two matrices wrongly')
    return { trial: { works: true, device: `${processor}, one core`, version: null }, tf }
  } catch (error) {
    return { trial: { works: false, failure: errorLine(error) }, tf: null }
  }
}
