import { onBeforeUnmount, onMounted } from 'vue'
import { flipLook, turnLook, type ImageLook } from './image-look.ts'

/** What a key asks of the pictures, as in common viewers. */
export type ViewerAction =
  | { kind: 'look'; update: (look: ImageLook) => ImageLook } | { kind: 'zoom'; factor: number } | { kind: 'frame'; steps: 1 | -1 } | { kind: 'reset' }

const zoomFactor = 1.25
const lookOf = (update: (look: ImageLook) => ImageLook): ViewerAction => ({ kind: 'look', update })
const actions: Record<string, ViewerAction> = {
  i: lookOf((look) => ({ ...look, isInverted: !look.isInverted })), h: lookOf((look) => flipLook(look, 'horizontal')), v: lookOf((look) => flipLook(look, 'vertical')),
  r: lookOf((look) => turnLook(look, 1)), l: lookOf((look) => turnLook(look, -1)),
  '+': { kind: 'zoom', factor: zoomFactor }, '=': { kind: 'zoom', factor: zoomFactor }, '-': { kind: 'zoom', factor: 1 / zoomFactor },
  PageDown: { kind: 'frame', steps: 1 }, PageUp: { kind: 'frame', steps: -1 }, '0': { kind: 'reset' }, ' ': { kind: 'reset' },
}

/** The action of a key in a picture; null for any other key. Letters count in either case (caps lock). */
export function viewerActionOfKey(key: string): ViewerAction | null {
  return actions[key.length === 1 ? key.toLowerCase() : key] ?? null
}

const typingTags = new Set(['INPUT', 'TEXTAREA', 'SELECT'])
/** Keys that mean something else elsewhere on the page: L goes back to the list, Space presses the button that has the focus. */
const pictureOnly = new Set(['l', 'L'])

/** The same keys anywhere on the page, as long as nobody types and no dialog is open; hasFrames: a picture of several frames is there. */
export function useViewerKeys(act: (action: ViewerAction) => void, hasFrames: () => boolean): void {
  const listen = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || pictureOnly.has(event.key)) return
    const target = event.target instanceof HTMLElement ? event.target : null
    if (target !== null && (typingTags.has(target.tagName) || target.isContentEditable || target.closest('[role="dialog"], [role="listbox"], [role="menu"]') !== null)) return
    if (event.key === ' ' && target !== document.body) return
    const action = viewerActionOfKey(event.key)
    // Without frames the page keys scroll the notes.
    if (action === null || (action.kind === 'frame' && !hasFrames())) return
    event.preventDefault()
    act(action)
  }
  onMounted(() => window.addEventListener('keydown', listen))
  onBeforeUnmount(() => window.removeEventListener('keydown', listen))
}
