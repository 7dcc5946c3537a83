import { profileAttributes } from '../../../engine/importers/privacy/profile/attributes.ts'
import { parseDicom } from '../../../engine/importers/dicom/parse.ts'
import type { DicomDataSet } from '../../../engine/importers/dicom/data-set.ts'
import { judgeAttribute } from '../../../engine/importers/privacy/profile/judge-attribute.ts'
import { drawGround } from '../../unit/importers/privacy/draw-text.ts'
import { imageElements, writeDicom, type Elements } from '../../unit/importers/dicom/make-dicom.ts'
import type { Needle } from './byte-search.ts'

/** A DICOM file in which every attribute of the profile, private and nested ones too, holds a value of its own. */
export interface PlantedFile { patientId: string; bytes: Buffer; needles: Needle[]; physician: { given: string; family: string }; studyDate: string; ageYears: number }

const syllables = ['ba', 'do', 'fe', 'gi', 'ku', 'la', 'mi', 'no', 'pe', 'ra', 'su', 'ti', 'vo', 'wa', 'xe', 'zu']
/** A word of eight letters that no language and no other file has. */
export function coin(n: number): string {
  return [0, 4, 8, 12].map((shift) => syllables[((Math.imul(n + 7, 0x9e3779b1) >>> shift) ^ (n >>> shift)) & 15]!).join('') + n.toString(26).replace(/\d/g, (digit) => 'qxjvzkwhyf'[Number(digit)]!)
}
const capital = (word: string): string => word[0]!.toUpperCase() + word.slice(1)
const pad = (n: number): string => String(n).padStart(2, '0')

export function plantDicom(patient: number, study: number): PlantedFile {
  let counter = 5000 + patient * 1300 + study * 600
  const needles: Needle[] = []
  const plant = (tag: string, keyword: string, options: readonly string[], depth: number): [string, string | Elements[]] | null => {
    counter++
    const word = capital(coin(counter))
    const date = `19${20 + (counter % 70)}${pad(1 + (counter % 12))}${pad(13 + (counter % 15))}`
    const keep = <T extends string>(value: T): T => {
      needles.push({ value, source: `${tag} ${keyword}` })
      return value
    }
    if (keyword.endsWith('Sequence') || keyword.endsWith('SequenceTrial')) {
      if (depth > 1) return null
      const inner = ['0040,1101', '0008,0080', '0040,1001', '0008,1050', '0010,1000'].flatMap((innerTag) => {
        const known = profileAttributes.get(innerTag)!
        const made = plant(innerTag, known.keyword, known.options, depth + 1)
        return made === null ? [] : [[innerTag, made] as const]
      })
      return ['SQ', [Object.fromEntries(inner) as Elements]]
    }
    if (options.includes('t')) {
      if (/DateTime|DateTimes|Timestamp/i.test(keyword)) return ['DT', keep(`${date}1230${pad(counter % 60)}`)]
      if (/Date/.test(keyword)) return ['DA', keep(date)]
      if (/Time/.test(keyword) && !/zone/i.test(keyword)) return ['TM', `${pad(counter % 24)}${pad(counter % 60)}00`]
      return ['LO', keep(word)]
    }
    if (/UID/.test(keyword)) return ['UI', keep(`1.2.826.0.1.${counter}.${Math.imul(counter, 7919) >>> 0}`)]
    if (/Name$|Names$|Physician$|Author$|Recorder$|Transcriber$|Responsible|OperatorsName|Interpreter$|PhysiciansOfRecord|PhysicianApprovingInterpretation|OrderEnteredBy/.test(keyword) && !/Institution|Department|Station|Protocol|Center|Site|Sponsor|Committee|Machine|Structure|Plan|ROI|Entity|Distribution/.test(keyword)) {
      return ['PN', keep(`${word}^${capital(coin(counter + 90_000))}`)]
    }
    if (/Date$/.test(keyword)) return ['DA', keep(date)]
    if (/(ID|Number|Numbers|Identifier)$/.test(keyword)) return ['LO', keep(`Q${counter}X${(Math.imul(counter, 31) >>> 0) % 9000}`)]
    return ['LO', keep(`${word} ${coin(counter + 40_000)}`)]
  }
  const elements: Elements = { ...imageElements({ rows: 96, columns: 96, bits: 8 }) }
  for (const { tag, keyword, options } of profileAttributes.values()) {
    if (tag < '0008,0012' || tag >= '7fe0' || tag === '0008,0020') continue
    const made = plant(tag, keyword, options, 0)
    if (made !== null) elements[tag] = made as Elements[string]
  }
  // One patient for all studies: what identifies the person stays the same.
  const patientId = `PID${70_000 + patient * 37}K`
  const [family, given] = [capital(coin(100 + patient)), capital(coin(300 + patient))]
  const physician = { family: capital(coin(500 + patient * 3 + study)), given: capital(coin(700 + patient * 3 + study)) }
  const studyDate = `${2012 + patient % 8}${pad(1 + (patient + study) % 12)}${pad(13 + (patient * 5 + study * 7) % 15)}`
  const ageYears = patient % 4 === 0 ? 93 : 40 + patient
  const fixed: [string, string, string][] = [
    ['0010,0020', 'LO', patientId], ['0010,0010', 'PN', `${family}^${given}`], ['0008,0090', 'PN', `${physician.family}^${physician.given}`], ['0008,0020', 'DA', studyDate],
    ['0009,1001', 'PN', `${capital(coin(900 + patient))}^${capital(coin(1100 + patient))}`], ['0009,1002', 'LO', `PRIV${patient}${study}${coin(1300 + patient)}`], ['6000,4000', 'LT', `Overlay ${coin(1500 + patient * 2 + study)}`], ['5000,2500', 'LO', `Curve${coin(1700 + patient * 2 + study)}`],
  ]
  for (const [tag, vr, value] of fixed) {
    elements[tag] = [vr, value]
    needles.push({ value, source: tag })
  }
  Object.assign(elements, { '0009,0010': ['LO', 'MAKER'], '0010,1010': ['AS', `0${ageYears}Y`], '0010,0040': ['CS', patient % 2 === 0 ? 'F' : 'M'], '0008,0060': ['CS', 'CR'] } satisfies Elements)
  delete elements['0010,2160']
  const ground = drawGround(96, 96, 1 + patient * 2 + study)
  const pixels = Uint8Array.from({ length: 96 * 96 }, (_, i) => ground.pixels[3 * i]!)
  return { patientId, bytes: writeDicom(elements, pixels), needles, physician, studyDate, ageYears }
}

const textVrs = new Set(['AE', 'AS', 'DA', 'DT', 'LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UI', 'UR', 'UT', 'TM'])
const hasWords = /[\p{L}\p{N}]{3}/u

/** Every text of a real file's header that the profile does not let stay, at any depth, as needles. */
export function needlesOf(bytes: Uint8Array, file: string): Needle[] {
  const needles: Needle[] = []
  const visit = (dataSet: DicomDataSet, depth: number): void => {
    for (const tag of dataSet.tags()) {
      const { fate, name } = judgeAttribute(tag)
      const vr = dataSet.vr(tag)
      if (fate !== 'kept' && (vr === null ? profileAttributes.has(tag) : textVrs.has(vr)) && !(vr === 'TM' || vr === 'AS')) {
        for (const value of dataSet.texts(tag)) if (value.length >= 4 && value.length <= 256 && hasWords.test(value) && !/[\0-\x08]/.test(value)) needles.push({ value, source: `${file} ${name}` })
      }
      if (depth < 8) for (const item of dataSet.items(tag)) visit(item, depth + 1)
    }
  }
  try {
    visit(parseDicom(bytes).dataSet, 0)
  } catch {
    // Not a data set: nothing in it was read by the import either.
  }
  return needles
}
