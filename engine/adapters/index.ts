import { AppError } from '../domain/errors.ts'
import { bitfit } from './bitfit/index.ts'
import { dedicated } from './dedicated/index.ts'
import { full } from './full/index.ts'
import { headOnly } from './head-only/index.ts'
import { lateFusion } from './late-fusion/index.ts'
import { lora } from './lora/index.ts'
import { missingnessOnly, textOnly } from './leak-alarms/index.ts'
import { meanFill } from './mean-fill/index.ts'
import type { Method } from './method.ts'
import { mora } from './mora/index.ts'
import { normTuning } from './norm-tuning/index.ts'
import { prompt } from './prompt/index.ts'
import { ssf } from './ssf/index.ts'
import { zeroFill } from './zero-fill/index.ts'

/** Every method a run can choose. Adding one means one folder and one line here. */
// Each method has its own settings type; the list holds them together, and `configSchema` checks a value before it is used.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export const methods: readonly Method<any>[] = [mora, ssf, lora, prompt, bitfit, normTuning, full, headOnly, lateFusion, dedicated, zeroFill, meanFill, missingnessOnly, textOnly]

/** The method of that id; throws METHOD_UNKNOWN. */
export function findMethod(id: string): (typeof methods)[number] {
  const method = methods.find((candidate) => candidate.id === id)
  if (method === undefined) throw new AppError('METHOD_UNKNOWN', `There is no method called "${id}".`)
  return method
}
