import type { ChildProcess } from 'node:child_process'
import { constants, setPriority } from 'node:os'

/** Training, decoding and resampling take every core there is; the window must get one whenever it has something to draw. */
export function yieldToWindow(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // Some systems refuse it; the work is then done at the usual priority.
  }
}
