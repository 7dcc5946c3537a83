import type { MappedSlot, Mapping } from '../../domain/mapping.ts'
import { reportColumns } from '../reports/report-table.ts'
import { createTitleFinder, type Profile, type TableFacts } from './profile.ts'

/** Findings and impression on lines of their own: run together, the last word of one would meet the first of the other. */
const reportOf = (findings: string, impression: string): string => `Findings: {${findings}}\nImpression: {${impression}}`

const explainText = 'The report often spells out the labels; leave it out of training unless that is what you want to study. Each report has one patient ID of its own, so several visits of one person cannot be told.'

/**
 * Indiana University chest X-rays as tables: reports, one row for each study, joined with the projections, one row for each image.
 * Without the projections the reports come alone.
 */
export const indianaProfile: Profile = (facts) => {
  const find = createTitleFinder(facts)
  const frontal = find('frontalfilename')
  const lateral = find('lateralfilename')
  const images: MappedSlot[] = []
  if (frontal) images.push({ slot: { slotId: 'frontal', modality: 'image', title: 'Frontal', letter: 'F' }, source: { kind: 'column', column: frontal, view: null } })
  if (lateral) images.push({ slot: { slotId: 'lateral', modality: 'image', title: 'Lateral', letter: 'L' }, source: { kind: 'column', column: lateral, view: null } })
  const mapping = indianaMapping(facts, 'indiana', images)
  if (mapping === null || find('image1') !== null) return null
  const further = facts.columns.filter(({ name }) => /^(Frontal|Lateral) filename \d+$/i.test(name))
  const surplus = further.reduce((sum, { blankCount }) => sum + facts.rowCount - blankCount, 0)
  const views = images.length === 0
    ? 'No table of projections lies beside it, so the reports come without images.'
    : `The table of projections beside it gives each study a frontal and a lateral image.${surplus > 0 ? ` ${surplus} second images of a view stay out; give them an item of their own if they are wanted (${further.map(({ name }) => `"${name}"`).join(', ')}).` : ''}`
  return { mapping, isRecognised: true, explanation: `These are the Indiana University chest X-ray reports. ${views} ${explainText}` }
}

/** The XML reports of the same collection, read as a table; their images are named without a view. */
export const indianaXmlProfile: Profile = (facts) => {
  if (reportColumns.some((name, i) => facts.columns[i]?.name !== name)) return null
  const filled = facts.columns.filter(({ name, blankCount }) => /^image \d+$/.test(name) && blankCount < facts.rowCount)
  const images = filled.slice(0, 2).map(({ name }, i): MappedSlot => ({
    slot: { slotId: `image-${i + 1}`, modality: 'image', title: `Image ${i + 1}`, letter: String(i + 1) }, source: { kind: 'column', column: name, view: null },
  }))
  const mapping = filled.length === 0 && !facts.columns.some(({ name }) => name === 'image 1') ? null : indianaMapping(facts, 'indiana-xml', images)
  if (mapping === null) return null
  const surplus = filled.slice(2).reduce((sum, { blankCount }) => sum + facts.rowCount - blankCount, 0)
  return {
    mapping, isRecognised: true,
    explanation: `These are the XML reports of the Indiana University chest X-rays. They name images without saying which view they show, so the first two become items.${surplus > 0 ? ` ${surplus} further images stay out.` : ''} ${explainText}`,
  }
}

function indianaMapping(facts: TableFacts, profile: Mapping['profile'], images: readonly MappedSlot[]): Mapping | null {
  const find = createTitleFinder(facts)
  const [id, findings, impression, problems] = [find('uid'), find('findings'), find('impression'), find('problems')]
  if (!id || !findings || !impression || !problems || find('mesh') === null) return null
  const indication = find('indication')
  const slots: MappedSlot[] = [...images, { slot: { slotId: 'report', modality: 'text', title: 'Report', letter: 'R' }, source: { kind: 'template', template: reportOf(findings, impression) } }]
  if (indication) slots.push({ slot: { slotId: 'indication', modality: 'text', title: 'Indication', letter: 'I' }, source: { kind: 'template', template: `{${indication}}` } })
  return {
    profile, patientIdColumn: id, rowUnit: { kind: 'patient' }, slots,
    // A comma is part of a name: "Pulmonary Disease, Chronic Obstructive".
    labels: { kind: 'list', column: problems, separators: ';' }, attributes: { age: null, sex: null },
  }
}
