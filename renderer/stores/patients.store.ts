import { defineStore } from 'pinia'
import type { CallReply, PatientPage } from '../../electron/contract/contract.ts'
import type { StudyFilter } from '../../engine/domain/records.ts'
import { call } from '../api.ts'

export type Neighbours = CallReply<'patients:neighbours'>

/** Pages kept so that next, previous and back are instant; more would only hold patient data longer in memory. */
const keptPages = 8

/** Pages of patients already asked for. A page is forgotten as soon as a review changes it. */
export const usePatientsStore = defineStore('patients', () => {
  const pages = new Map<string, Promise<PatientPage>>()
  const neighbours = new Map<string, Promise<Neighbours>>()

  /** Asks once for each key; a failed answer is not kept, so that trying again does ask again. */
  function remember<T>(kept: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
    const known = kept.get(key)
    if (known !== undefined) {
      // Most recently used last.
      kept.delete(key)
      kept.set(key, known)
      return known
    }
    const answer = ask()
    kept.set(key, answer)
    answer.catch(() => kept.delete(key))
    const oldest = kept.keys().next()
    if (kept.size > keptPages && !oldest.done) kept.delete(oldest.value)
    return answer
  }

  const keyOf = (studyId: number, runId: number | null): string => `${studyId}/${runId ?? ''}`
  function page(studyId: number, runId: number | null): Promise<PatientPage> {
    return remember(pages, keyOf(studyId, runId), () => call('patients:get', { studyId, runId }))
  }
  function neighboursOf(studyId: number, filter: StudyFilter): Promise<Neighbours> {
    return remember(neighbours, JSON.stringify([studyId, filter]), () => call('patients:neighbours', { studyId, filter }))
  }
  /** Fetches page and pictures of a study before it is asked for. What fails is told when it is asked for. */
  async function preload(studyId: number, runId: number | null): Promise<void> {
    try {
      const { items } = await page(studyId, runId)
      for (const item of items) if (item.url !== null) new Image().src = item.url
    } catch {
      // Told when the page itself is opened.
    }
  }
  function forget(studyId: number, runId: number | null): void {
    pages.delete(keyOf(studyId, runId))
    neighbours.clear()
  }
  /** After a decision: what is excluded, and who stands next to whom, is another thing now. */
  function forgetAll(): void {
    pages.clear()
    neighbours.clear()
  }
  // Where the keyboard stood in the list last seen, so that coming back finds the place.
  let place = { listKey: '', index: 0 }
  const activeOf = (listKey: string): number => (place.listKey === listKey ? place.index : 0)
  function setActive(listKey: string, index: number): void {
    place = { listKey, index }
  }
  return { page, neighboursOf, preload, forget, forgetAll, activeOf, setActive }
})
