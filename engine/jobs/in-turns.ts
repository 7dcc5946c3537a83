import { setImmediate } from 'node:timers/promises'

/** Drives work that comes in slices, such as a long write to the store; before each of them everything else of this process gets its turn. */
export async function inTurns(slices: Iterator<void>): Promise<void> {
  do await setImmediate()
  while (slices.next().done !== true)
}
