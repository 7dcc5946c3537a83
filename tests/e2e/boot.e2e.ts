import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { photographFailures } from './harness/failures.ts'
import { launchApp, type LaunchedApp } from './harness/launch.ts'
import { rowSum, slowMs } from './harness/steps.ts'

let app: LaunchedApp
photographFailures(() => app)
beforeAll(async () => { app = await launchApp({ env: { LACUNA_DEMO_PATIENTS: '24' } }) })
afterAll(() => app?.close())

test('an empty store opens on first start, with the strip and nothing else to do', async () => {
  const { page } = app
  await page.getByRole('heading', { name: 'Welcome to Lacuna' }).waitFor()
  await page.getByRole('button', { name: 'Try the demo cohort' }).waitFor()
  await page.getByRole('link', { name: 'Import your data' }).waitFor()
  await page.getByText('Research use only. Not for diagnosis or treatment.').waitFor()
  expect(await page.title()).toBe('Lacuna')
})

test('the window is sandboxed and isolated, with no way to Node', async () => {
  const facts = await app.page.evaluate(`({
    hasRequire: 'require' in window, hasProcess: 'process' in window, hasModule: 'module' in window, hasIpc: 'ipcRenderer' in window,
    api: Object.keys(window.api).sort(), origin: location.origin,
  })`)
  expect(facts).toEqual({ hasRequire: false, hasProcess: false, hasModule: false, hasIpc: false, api: ['call', 'on'], origin: 'app://lacuna' })
  const preferences = await app.application.evaluate(({ BrowserWindow }) => {
    const contents = BrowserWindow.getAllWindows()[0]!.webContents as unknown as { getLastWebPreferences: () => Record<string, unknown> }
    const { contextIsolation, sandbox, nodeIntegration, webSecurity, webviewTag } = contents.getLastWebPreferences()
    return { contextIsolation, sandbox, nodeIntegration, webSecurity, webviewTag: webviewTag ?? false }
  })
  expect(preferences).toEqual({ contextIsolation: true, sandbox: true, nodeIntegration: false, webSecurity: true, webviewTag: false })
})

test('the page carries a policy that names no network source and allows no inline script', async () => {
  const response = await app.page.reload()
  const policy = response!.headers()['content-security-policy']!
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self'")
  expect(policy).not.toMatch(/unsafe|https?:|\*/)
  await app.page.getByRole('heading', { name: 'Welcome to Lacuna' }).waitFor()
})

test('nothing reaches the network: not the page, not a picture, not the session under it', async () => {
  let requests = 0
  const server = createServer((_request, response) => { requests++; response.end('reached') })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const before = app.problems.length
  const outcome = await app.page.evaluate<{ fetched: string; drawn: string }>(`(async () => {
    const fetched = await fetch('${address}').then(() => 'reached', () => 'refused')
    const drawn = await new Promise((resolve) => {
      const image = new Image()
      image.onload = () => resolve('reached')
      image.onerror = () => resolve('refused')
      image.src = '${address}picture.png'
    })
    return { fetched, drawn }
  })()`)
  const session = await app.application.evaluate(async ({ net }, url) => net.fetch(url).then(() => 'reached', () => 'refused'), address)
  server.close()
  expect({ ...outcome, session, requests }).toEqual({ fetched: 'refused', drawn: 'refused', session: 'refused', requests: 0 })
  // The refusals themselves are on the console, as they should be; only these two.
  const told = app.problems.splice(before)
  expect(told.every((line) => line.includes(address) || /Failed to load resource/.test(line))).toBe(true)
})

test('navigation and new windows are refused', async () => {
  const before = app.page.url()
  const opened = await app.page.evaluate(`window.open('https://example.org/') !== null`)
  await app.page.evaluate(`void (location.href = 'https://example.org/')`)
  await app.page.waitForTimeout(500)
  expect(opened).toBe(false)
  expect(app.page.url()).toBe(before)
  expect(await app.application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1)
  // The automation would wait for the refused navigation for ever.
  await app.page.reload()
})

test('files outside the renderer cannot be read through the app protocol', async () => {
  const outcomes = await app.application.evaluate(async ({ net }) => {
    const addresses = ['app://lacuna/../electron/main.js', 'app://lacuna/%2e%2e/electron/main.js', 'app://lacuna/..%2f..%2fpackage.json', 'app://other/index.html', 'lacuna://item/1/../../etc/passwd', 'lacuna://preview/x']
    return Promise.all(addresses.map(async (address) => net.fetch(address).then((response) => response.status, () => 0)))
  })
  expect(outcomes.every((status) => status === 404 || status === 0)).toBe(true)
})

test('every place of the rail opens, by mouse and by name', async () => {
  const { page } = app
  for (const [place, heading] of [['Runs', 'Runs'], ['Patients', 'Patients'], ['Backbones', 'Backbones'], ['This workstation', 'This workstation'], ['Cohorts', 'Cohorts']] as const) {
    await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: place }).click()
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor({ timeout: 120_000 })
  }
})

test('the demo cohort is drawn and imported from its button alone', async () => {
  const { page } = app
  await page.getByRole('link', { name: 'Cohorts' }).first().click()
  await page.getByRole('button', { name: 'Try the demo cohort' }).click()
  await page.getByText('Import complete').waitFor({ timeout: slowMs })
  expect(await rowSum(page)).toEqual({ rowsIn: 24, accepted: 24, rejected: 0 })
  await page.getByRole('link', { name: 'Open cohort' }).click()
  await page.getByRole('heading', { name: 'Demo cohort (synthetic)', level: 1 }).waitFor()
})
