import type { Mapping } from '../../domain/mapping.ts'
import { defaultPrivacy, withOrderOfTable } from '../../domain/privacy.ts'
import { orderOf } from '../../domain/visit-dates.ts'
import { createTitleFinder, type TableFacts } from './profile.ts'

const studyTitles = ['studydate', 'examdate', 'examinationdate', 'dateofstudy', 'dateofexam', 'dateofexamination', 'acquisitiondate', 'scandate', 'imagingdate', 'imagedate', 'visitdate', 'dateofvisit', 'encounterdate', 'exposuredate', 'date', 'untersuchungsdatum', 'aufnahmedatum', 'datum']
const birthTitles = ['birthdate', 'dateofbirth', 'dob', 'patientbirthdate', 'patientdob', 'birthday', 'born', 'geburtsdatum']

/**
 * The mapping with the columns that hold the day of the study and of the birth, and their order where the cells prove it. Without any, the headers of
 * DICOM images still say when.
 */
export function withDates(mapping: Mapping, facts: TableFacts): Mapping {
  const find = createTitleFinder({ ...facts, columns: facts.columns.filter(({ dates }) => dates !== undefined) })
  const orderIn = (name: string | null) => {
    const column = facts.columns.find((candidate) => candidate.name === name)?.dates
    return column === undefined || column.needOrder === 0 ? null : orderOf(column, null)
  }
  const [study, birth] = [find(...studyTitles), find(...birthTitles)]
  const studyOrder = orderIn(study)
  // Only where it differs from the usual one: a suggestion says nothing of privacy otherwise.
  const privacy = withOrderOfTable(defaultPrivacy, studyOrder)
  return { ...mapping, dates: { study, studyOrder, birth, birthOrder: orderIn(birth) }, ...(privacy.dateOrder === defaultPrivacy.dateOrder ? {} : { privacy }) }
}
