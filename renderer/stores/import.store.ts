import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import type { AppError } from '../../engine/domain/errors.ts'
import type { TableInspection } from '../../engine/domain/import.ts'
import type { Mapping } from '../../engine/domain/mapping.ts'
import { call } from '../api.ts'
import { asAppError } from '../composables/common/useAsync.ts'
import { checkKey, checkTarget, firstState, nextStep, type ImportEvent, type ImportState } from '../composables/import/wizard-state.ts'

/** The import being prepared. It lives here so that a look at another page loses nothing, a check that is going on included. */
export const useImportStore = defineStore('import', () => {
  const state = shallowRef<ImportState>(firstState)
  const checking = shallowRef<{ jobKey: string; of: string } | null>(null)
  const checkError = shallowRef<AppError | null>(null)

  function send(event: ImportEvent): void {
    state.value = nextStep(state.value, event)
  }
  function cancelCheck(): void {
    if (checking.value !== null) call('jobs:cancel', { jobKey: checking.value.jobKey }).catch((caught: unknown) => { checkError.value = asAppError(caught) })
  }
  /** Checks a source under a mapping. A check of the very same is not begun twice; one of another mapping is stopped. */
  async function check(inspection: TableInspection, mapping: Mapping): Promise<void> {
    const target = checkTarget(state.value)
    const of = checkKey(inspection, mapping, target)
    if (checking.value?.of === of) return
    cancelCheck()
    const mine = { jobKey: `check-${Date.now()}`, of }
    checking.value = mine
    checkError.value = null
    // Files may have changed: a check that is stopped half-way must not leave the old one standing.
    send({ kind: 'check-dropped' })
    try {
      const result = await call('import:check', { jobKey: mine.jobKey, source: inspection.source, mapping, ...(target === null ? {} : { into: target }) })
      if (result !== null && checking.value === mine) send({ kind: 'checked', of, result })
    } catch (caught) {
      if (checking.value === mine) checkError.value = asAppError(caught)
    }
    if (checking.value === mine) checking.value = null
  }
  return { state, checking, checkError, send, check, cancelCheck }
})
