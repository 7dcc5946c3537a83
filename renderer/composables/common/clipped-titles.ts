/** How far up from the pointer a cut cell is looked for: a word in a span in a cell. */
const searchedLevels = 4

/** Whether a style cuts text off with an ellipsis, at the end of a line or after some lines. */
function isCut(element: HTMLElement): boolean {
  const style = getComputedStyle(element)
  if (style.textOverflow === 'ellipsis' && style.overflowX !== 'visible') return element.scrollWidth > element.clientWidth
  return style.webkitLineClamp !== 'none' && style.overflowY === 'hidden' && element.scrollHeight > element.clientHeight
}

/**
 * Gives every cell that is cut off on screen its whole text as a title, when the pointer comes to it. One place for all tables:
 * whether a cell is cut depends on the window, so no component can know beforehand. A title of its own stays.
 */
export function titleClippedCells(root: Document): void {
  root.addEventListener('mouseover', ({ target }) => {
    let element = target instanceof HTMLElement ? target : null
    for (let level = 0; element !== null && level < searchedLevels; level++, element = element.parentElement) {
      if (element.title !== '' && element.dataset.clippedTitle === undefined) return
      if (isCut(element)) {
        element.title = element.innerText.replaceAll(/\s+/g, ' ').trim()
        element.dataset.clippedTitle = ''
        return
      }
      if (element.dataset.clippedTitle !== undefined) {
        element.removeAttribute('title')
        delete element.dataset.clippedTitle
      }
    }
  })
}
