import { hash } from 'node:crypto'

/**
 * What stands for an image wherever images are told apart or kept by content: the SHA-256 of its file for the first frame, and one of
 * file and frame for another (counted from 0). Two frames of one file are two images: one must never be found in a cache in place of the
 * other, nor count as its duplicate.
 */
export function imageContentHash(fileSha256: string, frame: number): string {
  return frame === 0 ? fileSha256 : hash('sha256', `${fileSha256} frame ${frame}`)
}
