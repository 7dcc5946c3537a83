import { protocol } from 'electron'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { securityHeaders } from '../window.ts'

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml', '.png': 'image/png', '.woff2': 'font/woff2', '.json': 'application/json',
}

/** Must run before the app is ready. `app:` is a proper origin (unlike file:), so that the frame check and the CSP mean something. */
export function registerSchemes(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
    { scheme: 'lacuna', privileges: { standard: true, secure: true } },
  ])
}

/** Serves the built renderer from one folder, and nothing outside it. */
export function handleAppProtocol(rendererDir: string): void {
  protocol.handle('app', async (request) => {
    const url = new URL(request.url)
    const file = normalize(join(rendererDir, decodeURIComponent(url.pathname)))
    if (url.host !== 'lacuna' || !file.startsWith(rendererDir + sep)) return new Response(null, { status: 404 })
    try {
      const type = contentTypes[extname(file)] ?? 'application/octet-stream'
      return new Response(new Uint8Array(await readFile(file)), { headers: { 'Content-Type': type, ...securityHeaders } })
    } catch {
      return new Response(null, { status: 404 })
    }
  })
}
