/**
 * Runs `work` on every item with at most `inFlight` under way and yields the results in the order of the items,
 * so that an import delivers the same batches whichever file happens to be read first.
 * Stops starting new work as soon as one fails or the reader leaves; throws the first failure in item order.
 */
export async function* mapInOrder<T, R>(items: Iterable<T>, inFlight: number, work: (item: T) => Promise<R>): AsyncGenerator<R> {
  const running: Promise<R>[] = []
  const iterator = items[Symbol.iterator]()
  let isExhausted = false
  try {
    for (;;) {
      while (!isExhausted && running.length < inFlight) {
        const next = iterator.next()
        if (next.done) isExhausted = true
        else {
          const result = work(next.value)
          // It may fail while the reader is busy with an earlier one; an unobserved rejection would end the process.
          result.catch(() => undefined)
          running.push(result)
        }
      }
      const first = running.shift()
      if (!first) return
      yield await first
    }
  } finally {
    await Promise.allSettled(running)
  }
}

/** Lets work in only while its summed cost stays below `limit`; one item above the limit runs alone. */
export interface Budget {
  run: <R>(cost: number, work: () => Promise<R>) => Promise<R>
}

/** A budget for memory-heavy work, first come first served. */
export function createBudget(limit: number): Budget {
  let used = 0
  const queue: { cost: number; start: () => void }[] = []
  const admit = (): void => {
    for (let head = queue[0]; head && (used === 0 || used + head.cost <= limit); head = queue[0]) {
      queue.shift()
      used += head.cost
      head.start()
    }
  }
  return {
    async run(cost, work) {
      await new Promise<void>((resolve) => {
        queue.push({ cost, start: resolve })
        admit()
      })
      try {
        return await work()
      } finally {
        used -= cost
        admit()
      }
    },
  }
}
