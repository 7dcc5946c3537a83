import type { EChartsCoreOption } from 'echarts/core'
import type { Curves, StepLosses } from './run-curves.ts'

/** What a plot is drawn with. Series colours are Okabe and Ito's (2008), chosen per theme for contrast; each series has its own dash too. */
export interface PlotPalette {
  background: string
  text: string
  faint: string
  grid: string
  first: string
  second: string
  third: string
  fontFamily: string
}

export const lightPalette: PlotPalette = { background: '#ffffff', text: '#1c2126', faint: '#5a636c', grid: '#dde1e5', first: '#0072b2', second: '#d55e00', third: '#007a59', fontFamily: 'system-ui, sans-serif' }
export const darkPalette: PlotPalette = { background: '#16191c', text: '#e7eaed', faint: '#a3adb6', grid: '#30363c', first: '#56b4e9', second: '#e69f00', third: '#3fbf95', fontFamily: 'system-ui, sans-serif' }

const fontSize = 12
const formatLoss = (value: number): string => value.toPrecision(3)

/** Where text stands so that two end labels do not cover each other, in shares of the axis height. */
const labelGapShare = 0.09

function base(palette: PlotPalette, xName: string, right: number): Record<string, unknown> {
  return {
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: palette.fontFamily, fontSize, color: palette.text },
    // The line end labels stand to the right of the plot; the axis name below it.
    grid: { left: 52, right, top: 16, bottom: 40 },
    xAxis: {
      type: 'value', name: xName, nameLocation: 'middle', nameGap: 26, nameTextStyle: { color: palette.faint, fontSize },
      axisLine: { lineStyle: { color: palette.grid } }, axisTick: { show: false }, splitLine: { show: false },
      axisLabel: { color: palette.faint, fontSize, hideOverlap: true },
    },
    // Drawn on the canvas: an HTML tooltip carries style attributes, which the content security policy refuses.
    tooltip: {
      trigger: 'axis', renderMode: 'richText', confine: true, backgroundColor: palette.background, borderColor: palette.grid, padding: 8,
      textStyle: { color: palette.text, fontSize, fontFamily: palette.fontFamily }, axisPointer: { lineStyle: { color: palette.faint } },
    },
  }
}

function valueAxis(palette: PlotPalette, range: { min?: number; max?: number }): Record<string, unknown> {
  return {
    type: 'value', ...range, splitNumber: 4,
    axisLine: { show: false }, axisTick: { show: false }, splitLine: { lineStyle: { color: palette.grid } },
    axisLabel: { color: palette.faint, fontSize },
  }
}

interface Line { name: string; points: [number, number][]; colour: string; dash: 'solid' | 'dashed' | 'dotted'; symbol: 'circle' | 'rect'; endOffset?: number }

function series(line: Line, palette: PlotPalette, bestEpoch: number | null, bestText: string | null): Record<string, unknown> {
  return {
    type: 'line', name: line.name, data: line.points, symbol: line.symbol, symbolSize: 5, showSymbol: line.points.length <= 30,
    lineStyle: { color: line.colour, width: 2, type: line.dash }, itemStyle: { color: line.colour },
    // Words in the text colour: not every line colour is dark enough for small letters.
    endLabel: { show: true, formatter: '{a}', color: palette.text, fontSize, distance: 6, offset: [0, line.endOffset ?? 0] },
    labelLayout: { moveOverlap: 'shiftY' },
    ...(bestEpoch === null ? {} : {
      markLine: {
        silent: true, symbol: 'none', lineStyle: { color: palette.faint, type: 'dotted', width: 1 },
        label: { show: bestText !== null, formatter: bestText ?? '', color: palette.faint, fontSize: 11, position: 'end', distance: 2, offset: [bestOffset(line.points, bestEpoch), 0] },
        data: [{ xAxis: bestEpoch }],
      },
    }),
  }
}

/** Pixels that the words over the best epoch are moved to the right: centred over one of the first they would cover the numbers of the axis. */
function bestOffset(points: [number, number][], bestEpoch: number): number {
  const last = Math.max(2, points.at(-1)?.[0] ?? 1)
  const share = (bestEpoch - 1) / (last - 1)
  return share < 0.15 ? Math.round(36 * (1 - share / 0.15)) : 0
}

/** Distance in pixels that two end labels are moved apart when their lines end close together. */
function endOffsets(first: [number, number][], second: [number, number][]): [number, number] {
  const a = first.at(-1)?.[1]
  const b = second.at(-1)?.[1]
  if (a === undefined || b === undefined) return [0, 0]
  // The loss axis starts at zero, so the largest value is its height.
  const height = Math.max(...[...first, ...second].map(([, value]) => value))
  if (height > 0 && Math.abs(a - b) / height > labelGapShare) return [0, 0]
  return a >= b ? [-8, 8] : [8, -8]
}

/** Training and validation loss by epoch. The axis starts at zero: a loss has a natural zero and cutting it off would exaggerate. */
export function lossOption(curves: Curves, palette: PlotPalette, words: { train: string; val: string; epoch: string; best: string | null }): EChartsCoreOption {
  const [trainOffset, valOffset] = endOffsets(curves.trainLoss, curves.valLoss)
  return {
    ...base(palette, words.epoch, 76),
    xAxis: epochAxis(palette, words.epoch, curves.trainLoss),
    yAxis: { ...valueAxis(palette, { min: 0 }) },
    tooltip: { ...(base(palette, words.epoch, 76)['tooltip'] as object), valueFormatter: (value: unknown) => (typeof value === 'number' ? formatLoss(value) : '') },
    series: [
      series({ name: words.train, points: curves.trainLoss, colour: palette.first, dash: 'solid', symbol: 'circle', endOffset: trainOffset }, palette, curves.bestEpoch, words.best),
      series({ name: words.val, points: curves.valLoss, colour: palette.second, dash: 'dashed', symbol: 'rect', endOffset: valOffset }, palette, null, null),
    ],
  }
}

/** Macro-AUROC on validation patients by epoch, from 0.5 (chance) or lower where the curve is, up to 1. */
export function aurocOption(curves: Curves, palette: PlotPalette, words: { val: string; epoch: string; best: string | null }): EChartsCoreOption {
  const lowest = Math.min(0.5, ...curves.valMacroAuroc.map(([, value]) => Math.floor(value * 10) / 10))
  return {
    ...base(palette, words.epoch, 76),
    xAxis: epochAxis(palette, words.epoch, curves.trainLoss),
    yAxis: { ...valueAxis(palette, { min: lowest, max: 1 }), axisLabel: { color: palette.faint, fontSize, formatter: (value: number) => value.toFixed(1) } },
    tooltip: { ...(base(palette, words.epoch, 76)['tooltip'] as object), valueFormatter: (value: unknown) => (typeof value === 'number' ? value.toFixed(3) : '') },
    series: [series({ name: words.val, points: curves.valMacroAuroc, colour: palette.third, dash: 'solid', symbol: 'rect' }, palette, curves.bestEpoch, words.best)],
  }
}

function epochAxis(palette: PlotPalette, name: string, points: [number, number][]): Record<string, unknown> {
  const last = points.at(-1)?.[0] ?? 1
  return { ...(base(palette, name, 76)['xAxis'] as object), min: 1, max: Math.max(2, last), minInterval: 1 }
}

/** Loss of single steps, thin and without marks: it shows jumps, not the trend. */
export function stepOption(steps: StepLosses, palette: PlotPalette, words: { loss: string; step: string }): EChartsCoreOption {
  return {
    ...base(palette, words.step, 20),
    yAxis: { ...valueAxis(palette, { min: 0 }) },
    tooltip: { ...(base(palette, words.step, 20)['tooltip'] as object), valueFormatter: (value: unknown) => (typeof value === 'number' ? formatLoss(value) : '') },
    series: [{ type: 'line', name: words.loss, data: steps.points, showSymbol: false, lineStyle: { color: palette.first, width: 1 }, itemStyle: { color: palette.first } }],
  }
}
