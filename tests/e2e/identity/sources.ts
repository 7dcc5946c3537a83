import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { mappingSchema, type ImportSource, type Mapping } from '../../../engine/domain/mapping.ts'
import type { Needle } from './byte-search.ts'
import { needlesOf, plantDicom, type PlantedFile } from './planted-dicom.ts'
import { plantReports, type PlantedReport } from './planted-reports.ts'

/** The deliveries of the test: each with what must not be found afterwards. */
export interface Delivery { name: string; source: ImportSource; mapping: Mapping; needles: Needle[] }

const csv = (rows: readonly (readonly string[])[]): string => rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join('\n')
const imageSlot = (column: string) => ({ slot: { slotId: 'image', modality: 'image' as const, title: 'Image', letter: 'I' }, source: { kind: 'column' as const, column, view: null } })
const noteSlot = (template: string) => ({ slot: { slotId: 'note', modality: 'text' as const, title: 'Note', letter: 'N' }, source: { kind: 'template' as const, template } })
const month = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
const inWords = (date: string): string => `${month[Number(date.slice(4, 6)) - 1]} ${Number(date.slice(6))}, ${date.slice(0, 4)}`

const iso = (date: string): string => `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`
const written = (date: string): string => `${date.slice(6)}/${date.slice(4, 6)}/${date.slice(0, 4)}`
/** The birthday before the study at which the patient had its age. */
const birthOf = ({ studyDate, ageYears }: PlantedFile): string => `${Number(studyDate.slice(0, 4)) - ageYears}-${studyDate.slice(4, 6)}-0${1 + (Number(studyDate.slice(6)) % 9)}`

/** Twenty-four made-up patients with two studies each: DICOM files with every attribute planted, named by the patient, notes that repeat what headers say, and days of study and birth in columns. */
export function syntheticDelivery(folder: string): Delivery & { files: PlantedFile[]; patientIds: string[] } {
  mkdirSync(join(folder, 'images'), { recursive: true })
  const files = Array.from({ length: 48 }, (_, i) => plantDicom(i >> 1, i & 1))
  const rows = files.map((file, i) => {
    const name = `${file.patientId}_${file.physician.family}_${i & 1}.dcm`
    writeFileSync(join(folder, 'images', name), file.bytes)
    const { given, family } = file.physician
    const note = `Seen ${inWords(file.studyDate)} by ${given} ${family}. ${family.toUpperCase()} asked for a control of ${file.patientId}. ${i % 3 === 0 ? 'Small effusion on the left.' : 'No effusion, heart of normal size.'} Next visit 20${30 + (i % 5)}-04-17.`
    return [file.patientId, `${file.patientId}-V${i & 1}`, name, note, String(file.ageYears), i % 3 === 0 ? '1' : '0', i % 2 === 0 ? '1' : '0', written(file.studyDate), birthOf(file)]
  })
  writeFileSync(join(folder, 'patients.csv'), csv([['id', 'visit', 'file', 'note', 'age', 'Effusion', 'Other', 'when', 'born'], ...rows]))
  const mapping = mappingSchema.parse({
    patientIdColumn: 'id', rowUnit: { kind: 'study', column: 'visit' }, slots: [imageSlot('file'), noteSlot('{note}')], attributes: { age: 'age', sex: null }, dates: { study: 'when', birth: 'born' },
    labels: { kind: 'one-hot', columns: [{ column: 'Effusion', name: 'Effusion' }, { column: 'Other', name: 'Other' }] },
  })
  const days = files.flatMap((file) => [
    ...[written(file.studyDate), iso(file.studyDate), inWords(file.studyDate)].map((value) => ({ value, source: 'date of the study' })),
    ...[birthOf(file), birthOf(file).replaceAll('-', '')].map((value) => ({ value, source: 'date of birth' })),
  ])
  const names = files.flatMap(({ patientId, physician }, i) => [{ value: `${patientId}_${physician.family}_${i & 1}.dcm`, source: 'file name' }, { value: `${patientId}-V${i & 1}`, source: 'visit' }])
  return { name: 'Planted', files, patientIds: files.map(({ patientId }) => patientId), source: { sourceDir: join(folder, 'images'), tableFile: join(folder, 'patients.csv'), sheet: null }, mapping, needles: [...files.flatMap(({ needles }) => needles), ...names, ...days] }
}

/** Real reports, or made-up ones where they are not at hand, with identifiers planted in the text of `count` of them. */
export function reportDelivery(folder: string, data: string | null, seeds: readonly number[], count: number): Delivery & { plants: (PlantedReport & { row: number; days: number })[] } {
  mkdirSync(folder, { recursive: true })
  const file = data === null ? null : join(data, 'iu_reports', 'indiana_reports.csv')
  const real = file !== null && existsSync(file) ? (parse(readFileSync(file), { columns: true, bom: true }) as Record<string, string>[]).map((row) => [row.uid!, row.findings!, row.impression!]) : null
  const reports = real ?? Array.from({ length: 400 }, (_, i) => [String(40_000 + i), 'The heart is normal in size. The lungs are clear.', 'No acute disease.'])
  const plants = seeds.flatMap((seed) => plantReports(seed, count)).map((plant, i) => ({ ...plant, row: i * Math.max(1, Math.floor(reports.length / (seeds.length * count))) }))
  const byRow = new Map(plants.map((plant) => [plant.row, plant]))
  const rows = reports.map(([uid, findings, impression], i) => [`UID7${uid}`, `${findings} ${byRow.get(i)?.sentences ?? ''}`, impression!, /normal|no acute/i.test(impression!) ? '1' : '0'])
  writeFileSync(join(folder, 'reports.csv'), csv([['uid', 'findings', 'impression', 'Normal'], ...rows]))
  const mapping = mappingSchema.parse({ patientIdColumn: 'uid', slots: [noteSlot('{findings} {impression}')], labels: { kind: 'one-hot', columns: [{ column: 'Normal', name: 'Normal' }] } })
  return { name: 'Reports', plants, source: { sourceDir: folder, tableFile: join(folder, 'reports.csv'), sheet: null }, mapping, needles: rows.map(([uid]) => ({ value: uid!, source: 'report ID' })) }
}

/** A folder of real DICOM files by their headers, without any table. */
export function dicomDelivery(folder: string): Delivery & { fileCount: number } {
  const files = readdirSync(folder).filter((name) => name.endsWith('.dcm'))
  const mapping = mappingSchema.parse({ patientIdColumn: 'PatientID', rowUnit: { kind: 'row' }, slots: [imageSlot('File')], labels: { kind: 'none' }, attributes: { age: 'PatientAge', sex: 'PatientSex' } })
  const needles = files.flatMap((name) => [...needlesOf(new Uint8Array(readFileSync(join(folder, name))), name), { value: name, source: 'file name' }])
  return { name: 'Real DICOM', fileCount: files.length, source: { sourceDir: folder, tableFile: folder, sheet: null }, mapping, needles }
}
