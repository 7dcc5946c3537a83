import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { titleClippedCells } from '../../../../../renderer/composables/common/clipped-titles.ts'

/** As much of an element as the composable looks at. */
class FakeElement {
  title = ''
  dataset: Record<string, string> = {}
  style = { textOverflow: 'clip', overflowX: 'visible', overflowY: 'visible', webkitLineClamp: 'none' }
  scrollWidth = 100
  clientWidth = 100
  scrollHeight = 20
  clientHeight = 20
  innerText: string
  parentElement: FakeElement | null
  constructor(innerText: string, parentElement: FakeElement | null = null) {
    this.innerText = innerText
    this.parentElement = parentElement
  }
  removeAttribute(): void { this.title = '' }
}

let hover: (target: FakeElement) => void
beforeEach(() => {
  vi.stubGlobal('HTMLElement', FakeElement)
  vi.stubGlobal('getComputedStyle', (element: FakeElement) => element.style)
  titleClippedCells({ addEventListener: (_name: string, listen: (event: { target: FakeElement }) => void) => { hover = (target) => listen({ target }) } } as never)
})
afterEach(() => { vi.unstubAllGlobals() })

function cutCell(text: string): FakeElement {
  const cell = new FakeElement(text)
  Object.assign(cell.style, { textOverflow: 'ellipsis', overflowX: 'hidden' })
  cell.scrollWidth = 180
  return cell
}

it('gives a cut cell its whole text, also when the pointer is on a word inside it', () => {
  const cell = cutCell('Lens haze,\n  Bright deposits')
  hover(new FakeElement('Lens haze', cell))
  expect(cell.title).toBe('Lens haze, Bright deposits')
})

it('gives none to a cell that fits, and takes it back when the window has become wider', () => {
  const cell = cutCell('Lens haze')
  hover(cell)
  expect(cell.title).toBe('Lens haze')
  cell.scrollWidth = 100
  hover(cell)
  expect(cell.title).toBe('')
})

it('leaves a title that a component has given', () => {
  const cell = cutCell('0.873')
  cell.title = '95 % interval not estimable'
  hover(cell)
  expect(cell.title).toBe('95 % interval not estimable')
})

it('sees text cut after some lines', () => {
  const note = new FakeElement('A long note')
  Object.assign(note.style, { webkitLineClamp: '3', overflowY: 'hidden' })
  note.scrollHeight = 80
  note.clientHeight = 48
  hover(note)
  expect(note.title).toBe('A long note')
})
