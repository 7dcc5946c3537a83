import { onBeforeUnmount, onMounted } from 'vue'
import type { ReviewVerdict } from '../../../engine/domain/records.ts'

/** What a key on the patient page asks for. */
export type PatientKeyAction =
  | { kind: 'next' } | { kind: 'previous' } | { kind: 'comment' } | { kind: 'search' } | { kind: 'help' } | { kind: 'what-ifs' } | { kind: 'list' } | { kind: 'exclude' }
  | { kind: 'verdict'; verdict: ReviewVerdict }

/** The part of a keyboard event that decides. `tag`, `role` and `isEditable` describe the element that has the focus. */
export interface PressedKey {
  key: string
  hasModifier: boolean
  isRepeat: boolean
  tag: string
  role: string | null
  isEditable: boolean
}

const verdicts: Record<string, ReviewVerdict> = { '1': 'agree', '2': 'disagree', '3': 'unsure' }
const typingTags = new Set(['INPUT', 'TEXTAREA', 'SELECT'])
/** Widgets that use the arrow keys themselves. */
const arrowRoles = new Set(['slider', 'listbox', 'option', 'combobox', 'menuitem', 'radio', 'tab', 'application', 'img'])

/** The action of a key, or null when the key belongs to whatever has the focus. Letters count in either case (caps lock). */
export function patientActionOfKey(pressed: PressedKey): PatientKeyAction | null {
  if (pressed.hasModifier || pressed.isEditable || typingTags.has(pressed.tag)) return null
  const key = pressed.key.length === 1 ? pressed.key.toLowerCase() : pressed.key
  const isArrow = key.startsWith('Arrow')
  if (isArrow && pressed.role !== null && arrowRoles.has(pressed.role)) return null
  if (key === 'j' || key === 'ArrowRight') return { kind: 'next' }
  if (key === 'k' || key === 'ArrowLeft') return { kind: 'previous' }
  // A held key may page through patients, but must not write the same review ten times.
  if (pressed.isRepeat) return null
  const verdict = verdicts[key]
  if (verdict !== undefined) return { kind: 'verdict', verdict }
  if (key === 'c') return { kind: 'comment' }
  if (key === 'w') return { kind: 'what-ifs' }
  if (key === '/') return { kind: 'search' }
  if (key === '?') return { kind: 'help' }
  if (key === 'x') return { kind: 'exclude' }
  if (key === 'l') return { kind: 'list' }
  return null
}

/** Listens on the window while the page is mounted. `isBlocked`: a dialog is open and keeps the keys. */
export function usePatientKeys(act: (action: PatientKeyAction) => void, isBlocked: () => boolean): void {
  const listen = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || isBlocked()) return
    const target = event.target instanceof HTMLElement ? event.target : null
    const action = patientActionOfKey({
      key: event.key,
      hasModifier: event.ctrlKey || event.metaKey || event.altKey,
      isRepeat: event.repeat,
      tag: target?.tagName ?? '',
      role: target?.getAttribute('role') ?? null,
      isEditable: target?.isContentEditable ?? false,
    })
    if (action === null) return
    event.preventDefault()
    act(action)
  }
  onMounted(() => window.addEventListener('keydown', listen))
  onBeforeUnmount(() => window.removeEventListener('keydown', listen))
}
