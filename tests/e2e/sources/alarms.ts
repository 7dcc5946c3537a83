import sharp from 'sharp'
import { join } from 'node:path'
import { createRng } from '../../../engine/compute/rng.ts'

/**
 * Small pictures of noise and the table's rows for them: every fourth note names a clouded lens, which is the label "Cataract"; the label
 * "Glaucoma" follows from nothing. Synthetic people only.
 */
export async function writePictures(folder: string, count: number): Promise<string[]> {
  const rng = createRng(11)
  return Promise.all(Array.from({ length: count }, async (_, i) => {
    const name = `image-${i}.png`
    const pixels = Buffer.from(Uint8Array.from({ length: 48 * 48 * 3 }, () => rng.integer(256)))
    await sharp(pixels, { raw: { width: 48, height: 48, channels: 3 } }).png().toFile(join(folder, name))
    const hasCataract = i % 4 === 0
    return `patient-${1000 + i},${name},"seen in clinic ${['monday', 'tuesday', 'friday'][i % 3]}, ${hasCataract ? 'clouded lens' : 'quiet eye'}",${hasCataract ? 1 : 0},${rng.uniform() < 0.3 ? 1 : 0}`
  }))
}
