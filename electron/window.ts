import { BrowserWindow, session, shell } from 'electron'

const initialSize = { width: 1440, height: 900 }

/**
 * The policy of every page: own files and own pictures only. No network source is named, so none can be reached;
 * style attributes set through the DOM API stay allowed, style text does not.
 */
const contentSecurityPolicy = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' lacuna: data: blob:", "font-src 'self'",
  "connect-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join('; ')

/** Refuses everything that is not ours: network requests, permissions, new windows, navigation. Call once before the first window. */
export function lockDownSession(): void {
  const current = session.defaultSession
  current.setPermissionRequestHandler((_contents, _permission, decide) => decide(false))
  current.setPermissionCheckHandler(() => false)
  current.webRequest.onBeforeRequest((details, decide) => {
    const isOwn = /^(app|lacuna|devtools|data|blob):/.test(details.url)
    decide({ cancel: !isOwn })
  })
  // Spell checkers and component updaters would otherwise ask for dictionaries on the network.
  current.setSpellCheckerEnabled(false)
}

/** The security headers of every answer of the app protocol. */
export const securityHeaders = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Opener-Policy': 'same-origin',
}

/** Opens the application window, sandboxed and isolated; it shows itself once the first frame is painted. */
export function openWindow(preloadFile: string): BrowserWindow {
  const window = new BrowserWindow({
    ...initialSize,
    minWidth: 1024,
    minHeight: 640,
    show: false,
    title: 'Lacuna',
    backgroundColor: '#f5f6f7',
    autoHideMenuBar: true,
    webPreferences: {
      preload: preloadFile,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
      spellcheck: false,
      // Patient data must not outlive the page in a debugging session of somebody else.
      devTools: process.env.LACUNA_DEVTOOLS === '1',
    },
  })
  window.webContents.setWindowOpenHandler(() => ({ action: 'deny' }))
  window.webContents.on('will-navigate', (event, url) => {
    if (!url.startsWith('app://lacuna/')) event.preventDefault()
  })
  window.webContents.on('will-attach-webview', (event) => event.preventDefault())
  window.once('ready-to-show', () => window.show())
  void window.loadURL('app://lacuna/index.html')
  return window
}

/** Shows a file the user has just saved in the system's file manager. */
export function revealFile(path: string): void {
  shell.showItemInFolder(path)
}
