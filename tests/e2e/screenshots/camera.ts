import type { Page } from 'playwright-core'
import { join } from 'node:path'
import type { LaunchedApp } from '../harness/launch.ts'

export const themes = ['light', 'dark'] as const
export type Theme = (typeof themes)[number]

const sizes = [{ width: 1280, height: 800 }, { width: 1920, height: 1080 }] as const

export interface Camera {
  /** Shows the app in a theme; the window is loaded anew. */
  choose: (app: LaunchedApp, theme: Theme) => Promise<void>
  open: (app: LaunchedApp, hash: string) => Promise<void>
  /** Photographs what is on show at each size, unless nobody wants it. `aim` scrolls once the window has its size. */
  photograph: (app: LaunchedApp, theme: Theme, name: string, aim?: () => Promise<void>) => Promise<void>
  isWanted: (name: string) => boolean
  /** Whether any picture whose name starts so may be wanted; what nobody wants need not be clicked through. */
  mayBeWanted: (...starts: string[]) => boolean
  taken: () => number
}

/** Photographs one screen in both themes; `prepare` finds it again after each loading anew. */
export function inBothThemesOf(camera: Camera, app: LaunchedApp): (name: string, prepare?: () => Promise<void>) => Promise<void> {
  return async (name, prepare) => {
    for (const theme of themes) {
      await camera.choose(app, theme)
      await prepare?.()
      await camera.photograph(app, theme, name)
    }
  }
}

/** `wanted`: the starts of the names to take; everything when undefined. */
export function createCamera({ outDir, wanted }: { outDir: string; wanted: readonly string[] | undefined }): Camera {
  let taken = 0
  const isWanted = (name: string): boolean => wanted?.some((start) => name.startsWith(start)) ?? true
  return {
    isWanted,
    mayBeWanted: (...starts) => wanted?.some((start) => starts.some((own) => own.startsWith(start) || start.startsWith(own))) ?? true,
    taken: () => taken,
    choose: async ({ page }, theme) => {
      await page.evaluate(`localStorage.setItem('lacuna.theme', '${theme}')`)
      await page.reload()
      await until(page, `document.documentElement.dataset.theme === '${theme}'`, 10_000)
    },
    open: async ({ page }, hash) => {
      await page.evaluate(`void (location.hash = '${hash}')`)
      await settle(page)
    },
    photograph: async ({ page, application }, theme, name, aim) => {
      if (!isWanted(name)) return
      for (const size of sizes) {
        await application.evaluate(({ BrowserWindow }, { width, height }) => BrowserWindow.getAllWindows()[0]!.setContentSize(width, height), size)
        if (!(await until(page, `innerWidth === ${size.width} && innerHeight === ${size.height}`, 10_000))) throw new Error(`The screen is too small for a window of ${size.width} by ${size.height}.`)
        await aim?.()
        // Away from every row and button, so that nothing looks hovered.
        await page.mouse.move(2, 2)
        await settle(page)
        await page.screenshot({ path: join(outDir, `${name}-${theme}-${size.width}x${size.height}.png`), animations: 'disabled' })
        taken++
      }
    },
  }
}

/** Waits for a condition of the page. Not playwright's own waiting, which evaluates text inside the page: the policy forbids that. */
async function until(page: Page, condition: string, limitMs: number): Promise<boolean> {
  const endMs = performance.now() + limitMs
  while (performance.now() < endMs) {
    if (await page.evaluate<boolean>(condition)) return true
    await page.waitForTimeout(300)
  }
  return false
}

/** Done when nothing is loading, all pictures in view are there and the page has stopped changing. */
async function settle(page: Page): Promise<void> {
  await page.evaluate('void (window.lastShown = undefined)')
  const isDone = await until(page, `(() => {
    const isInView = (image) => { const { top, bottom } = image.getBoundingClientRect(); return bottom > 0 && top < innerHeight }
    const shown = document.querySelector('main')
    if (!shown || shown.querySelector('.loading, [aria-busy="true"]') || [...document.images].some((image) => !image.complete && (image.loading !== 'lazy' || isInView(image)))) return false
    const isSame = window.lastShown === shown.innerHTML
    window.lastShown = shown.innerHTML
    return isSame
  })()`, 10_000)
  if (!isDone) process.stderr.write(`${page.url()} was still busy after 10 s; photographed as it is\n`)
}

/** Brings a section to the top of the page. */
export async function scrollTo(page: Page, heading: string): Promise<void> {
  await page.getByRole('heading', { name: heading, exact: true }).evaluate((element) => element.scrollIntoView())
}
