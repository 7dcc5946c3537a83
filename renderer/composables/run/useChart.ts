import type { EChartsCoreOption, EChartsType } from 'echarts/core'
import { onBeforeUnmount, onMounted, watch, type Ref } from 'vue'
import { drawQueue } from './draw-queue.ts'

const chartLibrary = () => import('./chart-library.ts')

/** Keeps a plot in an element, follows its size and redraws when the option changes. */
export function useChart(element: Ref<HTMLElement | null>, option: Ref<EChartsCoreOption>): void {
  let chart: EChartsType | null = null
  let observer: ResizeObserver | null = null
  let isGone = false
  let takeBack = (): void => {}
  const draw = (): void => { takeBack = drawQueue.add(option, () => chart?.setOption(option.value, { notMerge: true })) }
  onMounted(async () => {
    const { init } = await chartLibrary()
    if (isGone || element.value === null) return
    chart = init(element.value, null, { renderer: 'canvas' })
    draw()
    observer = new ResizeObserver(() => chart?.resize())
    observer.observe(element.value)
  })
  watch(option, draw)
  onBeforeUnmount(() => {
    isGone = true
    takeBack()
    observer?.disconnect()
    chart?.dispose()
  })
}

/** Plot width and height on paper, in CSS pixels (96 per inch): 6.5 x 3.25 inches. */
const paperSize = { width: 624, height: 312 }
const dotsPerInch = 300

/** The plot as SVG text, with a title above and the note (research use only) below. */
export async function svgOfOption(option: EChartsCoreOption, title: string, note: string): Promise<string> {
  const { init } = await chartLibrary()
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...paperSize })
  try {
    chart.setOption(withFrame(option, title, note))
    return chart.renderToSVGString()
  } finally {
    chart.dispose()
  }
}

/** The same plot as PNG at 300 dots per inch. */
export async function pngOfOption(option: EChartsCoreOption, title: string, note: string): Promise<Blob> {
  const { init } = await chartLibrary()
  const canvas = document.createElement('canvas')
  canvas.width = paperSize.width
  canvas.height = paperSize.height
  const chart = init(canvas, null, { renderer: 'canvas', devicePixelRatio: dotsPerInch / 96, ...paperSize })
  try {
    chart.setOption(withFrame(option, title, note))
    const drawn = chart.getRenderedCanvas({ pixelRatio: dotsPerInch / 96, backgroundColor: '#ffffff' })
    const blob = await new Promise<Blob | null>((resolve) => drawn.toBlob(resolve, 'image/png'))
    if (blob === null) throw new Error('The canvas gave no picture.')
    return blob
  } finally {
    chart.dispose()
  }
}

function withFrame(option: EChartsCoreOption, title: string, note: string): EChartsCoreOption {
  const grid = option['grid'] as Record<string, unknown>
  return {
    ...option,
    backgroundColor: '#ffffff',
    title: [
      { text: title, left: 8, top: 6, textStyle: { fontSize: 13, fontWeight: 600, color: '#1c2126' } },
      { text: note, left: 8, bottom: 4, textStyle: { fontSize: 10, fontWeight: 400, color: '#5a636c' } },
    ],
    grid: { ...grid, top: 44, bottom: 62 },
  }
}
