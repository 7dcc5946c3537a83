/** Rows of a long list, fetched page by page and kept sparsely. Pure bookkeeping: no requests, no reactivity. */

export const pageSize = 100

/** Pages (from 0) that a visible range of rows touches, with one page ahead and behind so that scrolling meets no gap. */
export function pagesOfRange(firstRow: number, lastRow: number, total: number | null): number[] {
  const lastPage = total === null ? Number.POSITIVE_INFINITY : Math.max(0, Math.ceil(total / pageSize) - 1)
  const from = Math.max(0, Math.floor(firstRow / pageSize) - 1)
  const to = Math.min(lastPage, Math.floor(Math.max(firstRow, lastRow) / pageSize) + 1)
  const pages: number[] = []
  for (let page = from; page <= to; page++) pages.push(page)
  const seen = Math.floor(firstRow / pageSize)
  // What is on the screen comes first.
  return pages.sort((a, b) => Math.abs(a - seen) - Math.abs(b - seen) || a - b)
}

/** Pages to forget: those farthest from what is on the screen, beyond `keep`. */
export function pagesToDrop(held: readonly number[], visiblePage: number, keep: number): number[] {
  if (held.length <= keep) return []
  return [...held].sort((a, b) => Math.abs(b - visiblePage) - Math.abs(a - visiblePage)).slice(0, held.length - keep)
}
