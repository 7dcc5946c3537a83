import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { createRng } from '../../../engine/compute/rng.ts'

const pad = (n: number): string => String(n).padStart(2, '0')

/**
 * A folder of small pictures and `visits.csv`: forty patients with one to four visits whose days all lie in the first twelve of a month, so that
 * day and month cannot be told apart, and a few dates that cannot be right. Synthetic people only.
 */
export async function writeVisits(folder: string): Promise<void> {
  const rng = createRng(29)
  const rows = Array.from({ length: 40 }, (_, patient) => Array.from({ length: 1 + (patient % 4) }, (_, visit) => ({ patient, visit }))).flat()
  const lines = await Promise.all(rows.map(async ({ patient, visit }, i) => {
    const pixels = Buffer.from(Uint8Array.from({ length: 96 * 96 * 3 }, () => rng.integer(256)))
    await sharp(pixels, { raw: { width: 96, height: 96, channels: 3 } }).png().toFile(join(folder, `visit-${i}.png`))
    const year = 2015 + visit * 2 + (patient % 2)
    const [day, month] = [pad(1 + ((patient * 5 + visit * 3) % 12)), pad(1 + ((patient + visit * 4) % 12))]
    const birthYear = 1930 + ((patient * 7) % 55)
    const age = year - birthYear - (patient === 11 ? 20 : 0)
    const date = patient === 3 && visit === 2 ? `${day}/${month}/2081` : patient === 7 && visit === 1 ? 'after summer' : patient === 14 ? `${day}/${month}/1921` : `${day}/${month}/${year}`
    return `V${5000 + patient},${5000 + patient}-${visit},visit-${i}.png,"Seen on ${date}. ${i % 3 === 0 ? 'Small effusion.' : 'Clear.'}",${date},${birthYear}-06-15,${age},${i % 3 === 0 ? 1 : 0},${i % 5 === 0 ? 1 : 0}`
  }))
  writeFileSync(join(folder, 'visits.csv'), ['patient_id,visit_id,file,note,exam_date,birth_date,age,Effusion,Nodule', ...lines].join('\n'))
}
