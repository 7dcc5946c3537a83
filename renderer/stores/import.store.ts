import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import { firstState, nextStep, type ImportEvent, type ImportState } from '../composables/import/wizard-state.ts'

/** The import being prepared. It lives here so that a look at another page loses nothing. */
export const useImportStore = defineStore('import', () => {
  const state = shallowRef<ImportState>(firstState)
  function send(event: ImportEvent): void {
    state.value = nextStep(state.value, event)
  }
  return { state, send }
})
