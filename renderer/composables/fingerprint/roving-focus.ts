import { ref } from 'vue'

/** One stop of the Tab key for a field of many shapes; arrow keys go on from there. Shapes carry `data-at="row column"`. */
export function useRovingFocus(size: () => { rows: number; columns: number }): { isStop: (row: number, column: number) => boolean; onArrow: (event: KeyboardEvent, row: number, column: number) => void } {
  const stop = ref('0 0')
  const steps: Record<string, readonly [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }
  return {
    isStop: (row, column) => stop.value === `${row} ${column}`,
    onArrow: (event, row, column) => {
      const step = steps[event.key]
      if (step === undefined) return
      event.preventDefault()
      const { rows, columns } = size()
      const at = `${Math.min(rows - 1, Math.max(0, row + step[0]))} ${Math.min(columns - 1, Math.max(0, column + step[1]))}`
      stop.value = at
      const field = (event.currentTarget as Element).closest('svg')
      field?.querySelector<SVGElement>(`[data-at="${at}"]`)?.focus()
    },
  }
}
