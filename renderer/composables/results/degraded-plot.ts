import type { EChartsCoreOption } from 'echarts/core'
import type { PlotPalette } from '../run/curve-options.ts'

export interface DegradationPoint { level: string; auroc: number | null; f1: number | null }

const fontSize = 12

/** Macro-AUROC and macro-F1 from the inputs as they are to the worst level. Levels are named, not scaled: their steps are not equal. */
export function degradationOption(points: readonly DegradationPoint[], palette: PlotPalette, words: { axis: string; auroc: string; f1: string }): EChartsCoreOption {
  const line = (name: string, data: (number | null)[], colour: string, dash: 'solid' | 'dashed', symbol: 'circle' | 'rect') => ({
    type: 'line', name, data, symbol, symbolSize: 6, lineStyle: { color: colour, width: 2, type: dash }, itemStyle: { color: colour },
    endLabel: { show: true, formatter: '{a}', color: palette.text, fontSize, distance: 6 }, labelLayout: { moveOverlap: 'shiftY' },
  })
  return {
    animation: false, backgroundColor: 'transparent', textStyle: { fontFamily: palette.fontFamily, fontSize, color: palette.text },
    grid: { left: 40, right: 96, top: 16, bottom: 44 },
    xAxis: {
      type: 'category', data: points.map(({ level }) => level), name: words.axis, nameLocation: 'middle', nameGap: 28, nameTextStyle: { color: palette.faint, fontSize }, boundaryGap: false,
      axisLine: { lineStyle: { color: palette.grid } }, axisTick: { show: false }, axisLabel: { color: palette.faint, fontSize },
    },
    yAxis: {
      type: 'value', min: 0, max: 1, interval: 0.2, axisLine: { show: false }, axisTick: { show: false }, splitLine: { lineStyle: { color: palette.grid } },
      axisLabel: { color: palette.faint, fontSize, formatter: (value: number) => value.toFixed(1) },
    },
    // Drawn on the canvas: an HTML tooltip carries style attributes, which the content security policy refuses.
    tooltip: {
      trigger: 'axis', renderMode: 'richText', confine: true, backgroundColor: palette.background, borderColor: palette.grid, padding: 8,
      textStyle: { color: palette.text, fontSize, fontFamily: palette.fontFamily }, valueFormatter: (value: unknown) => (typeof value === 'number' ? value.toFixed(3) : ''),
    },
    series: [line(words.auroc, points.map(({ auroc }) => auroc), palette.first, 'solid', 'circle'), line(words.f1, points.map(({ f1 }) => f1), palette.second, 'dashed', 'rect')],
  }
}
