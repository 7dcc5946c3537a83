import { LineChart } from 'echarts/charts'
import { GridComponent, MarkLineComponent, TitleComponent, TooltipComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { LabelLayout } from 'echarts/features'
import { CanvasRenderer, SVGRenderer } from 'echarts/renderers'

/**
 * The parts of ECharts that the plots use. A chunk of its own, loaded when the first plot is to be drawn: to compile and run it
 * takes longer than all the rest of a page. The canvas draws on screen, because SVG on screen would need style attributes;
 * SVG and titles are only written to files.
 */
use([LineChart, GridComponent, TooltipComponent, MarkLineComponent, TitleComponent, LabelLayout, CanvasRenderer, SVGRenderer])

export { init }
