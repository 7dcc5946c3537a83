/** What a header says of persons, for the scrubbing of the texts of the same study, and which attributes it has, for the list of what is removed. In memory only. */
import type { DicomDataSet } from '../../dicom/data-set.ts'
import { profileAttributes } from './attributes.ts'
import { judgeAttribute } from './judge-attribute.ts'

/** Names, numbers and other telling values of one header. */
export interface HeaderIdentity {
  names: string[]
  ids: string[]
}

const maxDepth = 40
/** Texts longer than this are sentences, which the rules for texts would have to read; they are removed as a whole. */
const maxValueLength = 64
const nameKeyword = /(?:Name|Names|Physician|Physicians.*|ReferringPhysician.*|ResponsiblePerson|NameOf.*|.*EnteredBy|.*(?:Author|Recorder|Transcriber|Interpreter|Creator.*Name))$/
const noName = /(?:Institution|Department|Station|Organization|Service|Protocol|Center|Site|Structure|Plan|Set|ROI|Entity|Machine|Device|Committee|Sponsor)/
const idKeyword = /(?:ID|IDs|Number|Numbers|Identifier|Identification|Locator|Address|TelecomInformation|UID)$/
const placeKeyword = /^(?:Institution(?:Name|Address)|InstitutionalDepartmentName|ResponsibleOrganization|VerifyingOrganization|CurrentPatientLocation|PatientInstitutionResidence|ScheduledPatientInstitutionResidence|RegionOfResidence)$/

/**
 * Names and numbers at any depth of a header, also those of private elements (by their value representation), since a scanner writes the patient's
 * name where it likes.
 */
export function identityOf(dataSet: DicomDataSet): HeaderIdentity {
  const names = new Set<string>()
  const ids = new Set<string>()
  visit(dataSet, 0, (tag, holder) => {
    const keyword = profileAttributes.get(tag)?.keyword ?? ''
    const vr = holder.vr(tag)
    const isName = vr === 'PN' || (nameKeyword.test(keyword) && !noName.test(keyword))
    const isId = idKeyword.test(keyword) || keyword === 'PatientID' || (vr === 'LO' || vr === 'SH' ? isPrivate(tag) : false)
    if (!isName && !isId && !placeKeyword.test(keyword)) return
    for (const value of holder.texts(tag)) {
      if (value === '' || value.length > maxValueLength) continue
      if (isName) names.add(value)
      else ids.add(value)
    }
  })
  return { names: [...names], ids: [...ids] }
}

/** How often each attribute stands in a header, judged: what the check counts over a delivery. */
export function countAttributes(dataSet: DicomDataSet, into: Map<string, number>): void {
  const seen = new Set<string>()
  visit(dataSet, 0, (tag) => {
    const { name, fate } = judgeAttribute(tag)
    // What belongs to the picture says nothing; the list is of what identifies or could.
    if (fate !== 'kept') seen.add(`${name}\u001f${fate}`)
  })
  for (const key of seen) into.set(key, (into.get(key) ?? 0) + 1)
}

const isPrivate = (tag: string): boolean => Number.parseInt(tag.slice(0, 4), 16) % 2 === 1

function visit(dataSet: DicomDataSet, depth: number, look: (tag: string, holder: DicomDataSet) => void): void {
  for (const tag of dataSet.tags()) {
    look(tag, dataSet)
    // A file may nest without end; nothing that a person wrote lies that deep.
    if (depth < maxDepth) for (const item of dataSet.items(tag)) visit(item, depth + 1, look)
  }
}
