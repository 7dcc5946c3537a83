import { protocol } from 'electron'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ImageWindow } from '../../engine/domain/image-facts.ts'
import type { Workspace } from '../../engine/jobs/workspace.ts'

const sizes = { thumbnail: 256, page: 2048, preview: 96 } as const
type PictureSize = keyof typeof sizes

/** Preview rows the wizard may still be showing; older addresses lead nowhere. */
const keptPreviews = 2000

export interface Pictures {
  /** Address of a stored image item; the file is rendered on first sight. */
  itemUrl: (studyId: number, slotId: string, size: 'thumbnail' | 'page') => string
  /** Address of a frame (from 0) of a file that is not imported yet. The path itself never reaches the renderer. */
  previewUrl: (path: string, frame: number) => string
  /** Answers `lacuna:` addresses. Call once after the app is ready. */
  handleProtocol: () => void
}

/**
 * Pictures as the window shows them: rendered by the engine (orientation honoured, 16 bit scaled, metadata stripped), kept in the
 * deletable cache under the content hash, so that neither file names nor EXIF fields of a patient reach the page.
 */
export function createPictures(workspace: Workspace): Pictures {
  const previews = new Map<string, { path: string; frame: number }>()
  const rendering = new Map<string, Promise<void>>()
  const dir = join(workspace.paths.cacheDir, 'pictures')

  /** Renders once, also when a page asks for the same picture several times at once. */
  async function render({ path, frame, original }: { path: string; frame: number; original?: { sha256: string; frame: number } }, key: string, size: PictureSize): Promise<string> {
    const outFile = join(dir, key.slice(0, 2), `${key}-${size}.jpg`)
    if (existsSync(outFile)) return outFile
    await mkdir(join(dir, key.slice(0, 2)), { recursive: true })
    const running = rendering.get(outFile) ?? workspace.files.run('image:render', { path, original, maxEdgePx: sizes[size], outFile, frame }).then(() => undefined)
    rendering.set(outFile, running)
    try {
      await running
    } finally {
      rendering.delete(outFile)
    }
    return outFile
  }

  /** Under a window of the reader's own, or another frame: one of many, so it is not kept. */
  async function renderOnce({ path, ...original }: { path: string; sha256: string; frame: number }, window: ImageWindow | null, frame: number): Promise<Response> {
    const outFile = join(dir, 'windows', `${randomUUID()}.jpg`)
    try {
      await workspace.files.run('image:render', { path, original, maxEdgePx: sizes.page, outFile, frame, ...(window === null ? {} : { window }) })
      return await fileResponse(outFile)
    } finally {
      await rm(outFile, { force: true })
    }
  }

  async function answer(url: URL): Promise<Response> {
    const [first, second] = url.pathname.slice(1).split('/').map(decodeURIComponent)
    if (url.host === 'preview' && first) {
      const image = previews.get(first)
      if (image) return fileResponse(await render(image, first, 'preview'))
    }
    if (url.host === 'item' && first && second) {
      const size = url.searchParams.get('size') === 'thumbnail' ? 'thumbnail' : 'page'
      const file = workspace.store.patients.itemFile(Number(first), second)
      const asked = { center: Number(url.searchParams.get('center') ?? Number.NaN), width: Number(url.searchParams.get('width') ?? Number.NaN) }
      const window = Number.isFinite(asked.center) && asked.width > 0 ? asked : null
      // Without a frame: the one that the model sees.
      const frame = Number(url.searchParams.get('frame') ?? file?.frame)
      if (file && (window !== null || frame !== file.frame)) return await renderOnce(file, window, frame)
      if (file) return fileResponse(await render({ ...file, original: { sha256: file.sha256, frame: file.frame } }, file.sha256, size))
    }
    return new Response(null, { status: 404 })
  }

  return {
    itemUrl: (studyId, slotId, size) => `lacuna://item/${studyId}/${encodeURIComponent(slotId)}?size=${size}`,
    previewUrl: (path, frame) => {
      // With the file's size and time: the next delivery may have another picture under the same name, and the first one is kept.
      const state = statSync(path, { throwIfNoEntry: false })
      const token = createHash('sha256').update(workspace.pseudonymKey).update(`${frame} ${state?.size ?? ''} ${state?.mtimeMs ?? ''} ${path}`).digest('hex')
      previews.delete(token)
      previews.set(token, { path, frame })
      if (previews.size > keptPreviews) previews.delete(previews.keys().next().value!)
      return `lacuna://preview/${token}`
    },
    handleProtocol: () => {
      protocol.handle('lacuna', async (request) => {
        try {
          return await answer(new URL(request.url))
        } catch {
          // The page draws its own "cannot be shown" state; the cause was told when the item was imported.
          return new Response(null, { status: 404 })
        }
      })
    },
  }
}

async function fileResponse(file: string): Promise<Response> {
  return new Response(new Uint8Array(await readFile(file)), { headers: { 'Content-Type': 'image/jpeg', 'Cache-Control': 'private, max-age=3600' } })
}
