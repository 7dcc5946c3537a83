import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'

/** Two synthetic deliveries of one hospital, in the layout of ODIR. */

const head = 'ID,Patient Age,Patient Sex,Left-Fundus,Right-Fundus,Left-Diagnostic Keywords,Right-Diagnostic Keywords,N,D,G,C,A,H,M,O'
const rowOf = (id: number, isNormal: boolean): string => `${id},${50 + id},${id % 2 === 0 ? 'Female' : 'Male'},${id}_left.jpg,${id}_right.jpg,${isNormal ? 'normal fundus' : 'cataract'},${isNormal ? 'normal fundus' : 'cataract'},${isNormal ? 1 : 0},0,0,${isNormal ? 0 : 1},0,0,0,0`

async function writeDelivery(dir: string, rows: string[], imageIds: number[]): Promise<void> {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'annotations.csv'), `${[head, ...rows].join('\n')}\n`)
  for (const id of imageIds) {
    for (const side of ['left', 'right']) {
      const pixels = Buffer.alloc(64 * 64 * 3).map((_, i) => (i * 7 + id * 31 + (side === 'left' ? 0 : 90)) & 255)
      await sharp(pixels, { raw: { width: 64, height: 64, channels: 3 } }).jpeg().toFile(join(dir, `${id}_${side}.jpg`))
    }
  }
}

/** `first`: 8 patients. `second`: the whole table again, as hospitals deliver it, with 4 new ones, the new files only, and another label of patient 3. */
export async function writeDeliveries(folder: string): Promise<void> {
  const ids = Array.from({ length: 12 }, (_, i) => i + 1)
  await writeDelivery(join(folder, 'first'), ids.slice(0, 8).map((id) => rowOf(id, id % 2 === 0)), ids.slice(0, 8))
  await writeDelivery(join(folder, 'second'), ids.map((id) => rowOf(id, id === 3 ? true : id % 2 === 0)), ids.slice(8))
}
