/** The reader process from its sources: plain Node has to be told that migrations are text. */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

registerHooks({
  load: (url, context, next) => url.endsWith('.sql')
    ? { format: 'module', shortCircuit: true, source: `export default ${JSON.stringify(readFileSync(fileURLToPath(url), 'utf8'))}` }
    : next(url, context),
})
await import('../../../engine/reader.ts')
