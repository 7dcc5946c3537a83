import { AppError } from '../domain/errors.ts'
import { headOnly } from './head-only/index.ts'
import type { Method } from './method.ts'
import { mora } from './mora/index.ts'
import { zeroFill } from './zero-fill/index.ts'

/** Every method a run can choose. Adding one means one folder and one line here. */
// Each method has its own settings type; the list holds them together, and `configSchema` checks a value before it is used.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export const methods: readonly Method<any>[] = [mora, headOnly, zeroFill]

/** The method of that id; throws METHOD_UNKNOWN. */
export function findMethod(id: string): (typeof methods)[number] {
  const method = methods.find((candidate) => candidate.id === id)
  if (method === undefined) throw new AppError('METHOD_UNKNOWN', `There is no method called "${id}".`)
  return method
}
