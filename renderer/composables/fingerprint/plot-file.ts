/**
 * Saves a plot that is drawn as SVG on the page. The copy gets the light colours, whatever the theme, a title above and a note below, and
 * every colour written into the element: a file has no style sheet.
 */

const namespace = 'http://www.w3.org/2000/svg'
const painted = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'font-size', 'font-weight', 'font-family', 'text-anchor', 'dominant-baseline', 'opacity'] as const
const titleHeight = 32
const noteHeight = 22
const dotsPerInch = 300

/** The plot as SVG text of its natural size. */
export function svgOfPlot(plot: SVGSVGElement, title: string, note: string): { text: string; width: number; height: number } {
  const { width, height } = plot.viewBox.baseVal
  const stage = document.createElement('div')
  stage.dataset['theme'] = 'light'
  stage.className = 'plot-stage'
  const copy = plot.cloneNode(true) as SVGSVGElement
  stage.append(copy)
  plot.parentElement!.append(stage)
  try {
    for (const element of copy.querySelectorAll('*')) paint(element)
    for (const element of copy.querySelectorAll('[tabindex]')) element.removeAttribute('tabindex')
  } finally {
    stage.remove()
  }
  const whole = document.createElementNS(namespace, 'svg')
  const total = height + titleHeight + noteHeight
  whole.setAttribute('xmlns', namespace)
  whole.setAttribute('width', String(width))
  whole.setAttribute('height', String(total))
  whole.setAttribute('viewBox', `0 0 ${width} ${total}`)
  whole.append(shape('rect', { width, height: total, fill: '#ffffff' }), words(title, 8, 20, 13, 600, '#1c2126'))
  const body = shape('g', { transform: `translate(0 ${titleHeight})` })
  body.append(...copy.childNodes)
  whole.append(body, words(note, 8, total - 8, 10, 400, '#5a636c'))
  return { text: new XMLSerializer().serializeToString(whole), width, height: total }
}

function paint(element: Element): void {
  const style = getComputedStyle(element)
  for (const name of painted) {
    const value = style.getPropertyValue(name)
    if (value !== '' && value !== 'normal') element.setAttribute(name, value)
  }
  element.removeAttribute('class')
  for (const { name } of [...element.attributes]) if (name.startsWith('data-')) element.removeAttribute(name)
}

function shape(name: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(namespace, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  return element
}

function words(text: string, x: number, y: number, size: number, weight: number, fill: string): SVGElement {
  const element = shape('text', { x, y, 'font-size': size, 'font-weight': weight, 'font-family': 'sans-serif', fill })
  element.textContent = text
  return element
}

/** The same plot as PNG at 300 dots per inch (96 plot units to the inch). */
export async function pngOfPlot(plot: SVGSVGElement, title: string, note: string): Promise<Blob> {
  const { text, width, height } = svgOfPlot(plot, title, note)
  const image = new Image()
  const url = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }))
  try {
    image.src = url
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = Math.round((width * dotsPerInch) / 96)
    canvas.height = Math.round((height * dotsPerInch) / 96)
    canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height)
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
    if (blob === null) throw new Error('The canvas gave no picture.')
    return blob
  } finally {
    URL.revokeObjectURL(url)
  }
}
