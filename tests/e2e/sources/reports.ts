import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { makePdf } from '../../unit/importers/reports/make-report.ts'

/** Synthetic chest reports as a hospital might send them: one text file for each patient beside a picture, one of them a scan. */

const findings = [
  'The heart is normal in size. The lungs are clear without focal consolidation. No pleural effusion or pneumothorax.',
  'Small left pleural effusion with adjacent atelectasis. The heart is mildly enlarged. No pneumothorax.',
  'Patchy opacity in the right lower lobe which may represent pneumonia. No pleural effusion.',
  'Calcified granuloma in the left upper lobe. No acute airspace disease. Bony structures are intact.',
  'Right-sided PICC with its tip in the SVC. No increase in the right pleural effusion. Borderline heart size.',
  'Hyperexpanded lungs with flattened hemidiaphragms. Possible 6 mm nodule in the left apex. Old healed rib fractures.',
]
const impressions = ['No acute cardiopulmonary disease.', 'Small left effusion.', 'Possible right lower lobe pneumonia.', 'No active disease.', 'Stable right effusion; PICC in place.', 'Emphysema. Nodule cannot be excluded.']

export const reportPatients = 30

/** Lines as wide as a page: what a PDF draws beyond its edge nobody sees, and no reader reads. */
const linesOf = (report: string): string[] => report.split('\n').flatMap((line) => line.match(/.{1,80}(?:\s|$)/g)?.map((part) => part.trimEnd()) ?? [''])

/** Fills `folder` with pictures, reports and a table; gives its table. */
export async function makeReportSource(folder: string): Promise<string> {
  mkdirSync(join(folder, 'images'), { recursive: true })
  mkdirSync(join(folder, 'reports'), { recursive: true })
  const lines = ['patient_id,image,ventilated']
  for (let i = 0; i < reportPatients; i++) {
    const id = `RX${String(4101 + i)}`
    const kind = i % findings.length
    const pixels = Buffer.from(Array.from({ length: 96 * 96 }, (_, at) => (at * (kind + 3) + i * 7 + ((at >> 6) * 11)) & 255))
    writeFileSync(join(folder, 'images', `${id}.png`), await sharp(pixels, { raw: { width: 96, height: 96, channels: 1 } }).png().toBuffer())
    const report = `INDICATION: Cough, question of pneumonia.\nFINDINGS: ${findings[kind]!}\nIMPRESSION: ${impressions[kind]!}\nDictated by Dr Jane Miller on 14 March 2020.\n`
    if (i === reportPatients - 1) writeFileSync(join(folder, 'reports', `${id}_report.pdf`), makePdf([[]]))
    else if (i === reportPatients - 2) writeFileSync(join(folder, 'reports', `${id}_report.pdf`), makePdf([linesOf(report)]))
    else writeFileSync(join(folder, 'reports', `${id}_report.txt`), report)
    lines.push(`${id},${id}.png,${i % 4 === 0 ? 1 : 0}`)
  }
  writeFileSync(join(folder, 'patients.csv'), `${lines.join('\n')}\n`)
  return join(folder, 'patients.csv')
}
