import { BrowserWindow } from 'electron'
import type { Printer } from '../ipc/context.ts'

const millimetresPerInch = 25.4
const margin = 12 / millimetresPerInch

/** Prints the page on screen, as its print style sheet lays it out, with a line of its own at the foot of every sheet. */
export function createPrinter(): Printer {
  return {
    printPage: async (foot) => {
      const window = BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows()[0]!
      const colour = window.getBackgroundColor()
      // What lies behind the page is printed into the margins of every sheet.
      window.setBackgroundColor('#ffffff')
      return window.webContents.printToPDF({
        pageSize: 'A4', printBackground: true, displayHeaderFooter: true, headerTemplate: '<span></span>', footerTemplate: footerOf(foot),
        margins: { top: margin, bottom: 16 / millimetresPerInch, left: margin, right: margin },
      }).finally(() => window.setBackgroundColor(colour))
    },
  }
}

/** The foot is a page of its own without style sheets; only style attributes reach it. */
function footerOf(foot: string): string {
  const text = foot.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<div style="width:100%;margin:0 12mm;font:7pt sans-serif;color:#444;display:flex;justify-content:space-between"><span>${text}</span><span><span class="pageNumber"></span> / <span class="totalPages"></span></span></div>`
}
