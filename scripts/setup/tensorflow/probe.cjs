// Run under the stock Node: loads TensorFlow, multiplies two matrices with a known product, says what it runs on.
const { createRequire } = require('node:module')
const { join } = require('node:path')
const util = require('node:util')
util.isNullOrUndefined ??= (value) => value === null || value === undefined   // gone since Node 23, used by tfjs-node 4.22
const tf = createRequire(join(process.argv[2], 'package.json'))('@tensorflow/tfjs-node-gpu')
const product = Array.from(tf.matMul(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor2d([[5, 6], [7, 8]])).dataSync())
process.stdout.write(JSON.stringify({
  isRight: product.join() === '19,22,43,50',
  version: tf.backend().binding.TF_Version,
  isGpu: Boolean(tf.backend().isUsingGpuDevice),
}))
