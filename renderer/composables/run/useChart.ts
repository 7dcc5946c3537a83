import { LineChart } from 'echarts/charts'
import { AriaComponent, GridComponent, MarkLineComponent, TitleComponent, TooltipComponent } from 'echarts/components'
import { init, use, type EChartsCoreOption, type EChartsType } from 'echarts/core'
import { LabelLayout } from 'echarts/features'
import { CanvasRenderer, SVGRenderer } from 'echarts/renderers'
import { onBeforeUnmount, onMounted, watch, type Ref } from 'vue'

// The canvas draws on screen, because SVG on screen would need style attributes; SVG is only written to files.
use([LineChart, GridComponent, TooltipComponent, MarkLineComponent, TitleComponent, AriaComponent, LabelLayout, CanvasRenderer, SVGRenderer])

/** Keeps a plot in an element, follows its size and redraws when the option changes. */
export function useChart(element: Ref<HTMLElement | null>, option: Ref<EChartsCoreOption>): void {
  let chart: EChartsType | null = null
  let observer: ResizeObserver | null = null
  onMounted(() => {
    if (element.value === null) return
    chart = init(element.value, null, { renderer: 'canvas' })
    chart.setOption(option.value)
    observer = new ResizeObserver(() => chart?.resize())
    observer.observe(element.value)
  })
  watch(option, (next) => chart?.setOption(next, { notMerge: true }))
  onBeforeUnmount(() => {
    observer?.disconnect()
    chart?.dispose()
  })
}

/** Plot width and height on paper, in CSS pixels (96 per inch): 6.5 x 3.25 inches. */
const paperSize = { width: 624, height: 312 }
const dotsPerInch = 300

/** The plot as SVG text, with a title above and the note (research use only) below. */
export function svgOfOption(option: EChartsCoreOption, title: string, note: string): string {
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
