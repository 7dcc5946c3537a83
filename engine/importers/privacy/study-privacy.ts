/** De-identification of the studies of one table: what is known from its columns, the scrubbing of texts, and the report on it. */
import { AppError } from '../../domain/errors.ts'
import type { Mapping } from '../../domain/mapping.ts'
import type { PrivacyFindings, PrivacyPart, PrivacyReport } from '../../domain/privacy.ts'
import { formatTabularItem, parseTabularItem } from '../../domain/tabular.ts'
import { isBlankCell, normaliseId } from '../ids.ts'
import type { IssueCollector } from '../issues.ts'
import { parseAge } from '../rows/demographics.ts'
import type { GroupedStudy } from '../rows/group-rows.ts'
import { normaliseColumnName } from '../table/header.ts'
import { createLabelGuard, type LabelGuard } from './label-privacy.ts'
import { maskText } from './mask.ts'
import { createScrubber, isTellingId, type Finding, type KnownIdentity, type Scrubbed } from './scrub.ts'

/** Ages from here on are one group (HIPAA, 45 CFR 164.514(b)(2)(i)(C)); stored as this number, shown as "90+". */
const oldestShownAge = 90
const maxExamples = 5

const nameTitles = /^(?:patients?|pt|pat)?(?:full|first|last|middle|given|family|sur|fore|maiden|birth|sir)?(?:name|names)$|^(?:vorname|nachname|apellidos?|nombre|prenom|nom|surname|forename)$|^(?:referring|attending|requesting|ordering|performing|reporting|reading|treating|responsible)?(?:physician|doctor|radiologist|consultant|clinician|surgeon|operator|technologist|gp|provider)s?(?:name)?$|^(?:nextofkin|nok|guardian|emergencycontact)(?:name)?$/
const idTitles = /^(?:mrn|urn|ssn|nhs|nhsno|nhsnumber|pid|hospital(?:id|no|number)|(?:medical|health)?record(?:id|no|number)|accession(?:id|no|number)?|patient(?:id|no|number)|otherpatientids?|(?:study|exam|visit|encounter|case|insurance|policy|account|episode|admission)(?:id|no|number)|insurance|socialsecurity(?:no|number)?|phone|telephone|tel|mobile|fax|phonenumber|email|emailaddress|e?mail|address|street|homeaddress|postcode|zip|zipcode|studyuid|studyinstanceuid|seriesinstanceuid|sopinstanceuid)$/

export interface StudyPrivacy {
  /** The cells as everything after the reading of the table may see them: an age over 89 is 90. */
  prepare: (cells: readonly string[]) => readonly string[]
  /** Remembers names and numbers that stand in columns of their own. */
  notice: (row: { row: number; cells: readonly string[] }) => void
  /** Brings together what the rows of each patient hold: a letter of one visit names whom only another row names. Before `apply`, with all studies. */
  gather: (studies: readonly GroupedStudy[]) => void
  /** Replaces the texts of the studies; `issues` hears of identifiers that could not be removed. */
  apply: (studies: readonly GroupedStudy[], labelNames: readonly string[], issues: IssueCollector) => void
  /** Removes what was learnt later, from the headers of the patient's files. */
  applyKnown: (study: GroupedStudy, names: readonly string[], ids: readonly string[]) => void
  /** A text of a study as the table has it, in pieces with the rules that replace them; what its headers hold must have been applied. */
  explain: (study: GroupedStudy, text: string) => PrivacyPart[]
  /** A text of nobody in particular, in the same way. */
  explainExample: (text: string) => PrivacyPart[]
  /** Judges and cleans labels; null for imports that began before labels were looked at. After `gather`. */
  guardLabels: (issues: IssueCollector) => LabelGuard | null
  report: () => Omit<PrivacyReport, 'headers' | 'textImages'>
}

/** Null for a mapping without privacy options: a cohort begun before texts were scrubbed stays in one piece when it is resumed. */
export function createStudyPrivacy(mapping: Mapping, columns: readonly string[], secret: string): StudyPrivacy | null {
  const options = mapping.privacy
  if (!options) return null
  const scrubber = createScrubber(options, secret)
  const titles = columns.map((name) => name.toLowerCase().replace(/[^\p{L}]/gu, ''))
  const mappedImages = new Set(mapping.slots.flatMap(({ source }) => (source.kind === 'column' ? [normaliseColumnName(source.column)] : [])))
  const nameColumns = titles.flatMap((title, index) => (nameTitles.test(title) && !mappedImages.has(columns[index]!) ? [index] : []))
  const idColumns = titles.flatMap((title, index) => (idTitles.test(title) ? [index] : []))
  const isBare = options.characteristics === 'remove'
  const characterPositions = isBare ? [mapping.attributes.age, mapping.attributes.sex].flatMap((name) => (name === null ? [] : [columns.indexOf(normaliseColumnName(name))])) : []
  const agePosition = isBare || mapping.attributes.age === null || options.off.includes('ages') ? -1 : columns.indexOf(normaliseColumnName(mapping.attributes.age))
  const knownOfRow = new Map<number, { names: string[]; ids: string[] }>()
  const collector = createFindingCollector()
  const cappedRows = new Set<number>()
  let studiesWithText = 0
  const changed = new Set<GroupedStudy>()

  const prepare = (cells: readonly string[]): readonly string[] => {
    if (isBare) return characterPositions.reduce<readonly string[]>((kept, position) => (position < 0 ? kept : kept.with(position, '')), cells)
    if (agePosition < 0) return cells
    const { ageYears } = parseAge(cells[agePosition] ?? '')
    return ageYears === null || ageYears < oldestShownAge ? cells : cells.with(agePosition, String(oldestShownAge))
  }
  const notice: StudyPrivacy['notice'] = ({ row, cells }) => {
    const cellsOf = (positions: readonly number[]): string[] => positions.map((position) => cells[position] ?? '').filter((cell) => !isBlankCell(cell))
    const names = cellsOf(nameColumns).filter((cell) => !/\d/.test(cell) && cell.length <= 80)
    const ids = cellsOf(idColumns).map(normaliseId).filter((cell) => cell.length >= 5 && cell.length <= 120)
    if (names.length + ids.length > 0) knownOfRow.set(row, { names, ids })
    const age = agePosition < 0 ? null : parseAge(cells[agePosition] ?? '').ageYears
    if (age !== null && age >= oldestShownAge) cappedRows.add(row)
  }
  const knownOf = (study: GroupedStudy): KnownIdentity => {
    const rows = study.rows.flatMap((row) => knownOfRow.get(row) ?? [])
    const files = study.values.flatMap((value, index) => (mapping.slots[index]!.slot.modality === 'image' && value !== null ? [value, baseName(value)] : []))
    return { patientId: study.patientId, names: rows.flatMap(({ names }) => names), ids: [...rows.flatMap(({ ids }) => ids), ...(study.studyId === null ? [] : [study.studyId]), ...files].filter(isTellingId) }
  }
  const ofPatient = new Map<string, { names: Set<string>; ids: Set<string> }>()
  const gather: StudyPrivacy['gather'] = (studies) => {
    for (const study of studies) {
      const { names, ids } = knownOf(study)
      const held = ofPatient.get(study.patientId) ?? { names: new Set(), ids: new Set() }
      ofPatient.set(study.patientId, held)
      for (const name of names) held.names.add(name)
      for (const id of ids) held.ids.add(id)
    }
  }
  const allKnownOf = (study: GroupedStudy): KnownIdentity => {
    const held = ofPatient.get(study.patientId)
    return held ? { patientId: study.patientId, names: [...held.names], ids: [...held.ids] } : knownOf(study)
  }
  /** Runs over every text of a study and every category of its tables of values. */
  const rewrite = (study: GroupedStudy, scrub: (text: string) => Scrubbed): void => {
    for (const [index, value] of study.values.entries()) {
      const { modality, slotId } = mapping.slots[index]!.slot
      if (value === null || modality === 'image') continue
      const findings: Finding[] = []
      const clean = (text: string): string => {
        // As cells are: letters in one piece, and nothing unseen between them, or no rule knows a name that a Mac wrote.
        const scrubbed = scrub(text.replace(/[\u00AD\u200B-\u200D\u2060\uFEFF]/g, '').normalize('NFC'))
        findings.push(...scrubbed.findings)
        return scrubbed.text
      }
      if (modality === 'text') study.values[index] = clean(value)
      else {
        const cells = parseTabularItem(value)
        study.values[index] = formatTabularItem(Object.keys(cells), Object.fromEntries(Object.entries(cells).map(([name, cell]) => [name, typeof cell === 'string' ? clean(cell) : cell])))
      }
      if (findings.length > 0) changed.add(study)
      collector.add(slotId, study.rows[0]!, findings)
    }
  }
  const apply: StudyPrivacy['apply'] = (studies, labelNames, issues) => {
    for (const study of studies) {
      if (study.values.some((value, index) => value !== null && mapping.slots[index]!.slot.modality === 'text')) studiesWithText++
      const known = knownOf(study)
      const all = allKnownOf(study)
      noteUnreadable(study, mapping, issues)
      rewrite(study, (text) => scrubber.scrub(text, all))
      if (!options.off.includes('own-id')) {
        const texts = study.values.flatMap((value, index) => (value === null || mapping.slots[index]!.slot.modality === 'image' ? [] : [value.toLowerCase()]))
        noteResidue(study.rows[0]!, texts, known, labelNames, issues)
      }
    }
  }
  const headerKnown = new Map<number, KnownIdentity>()
  const partsOf = (text: string, known: KnownIdentity): PrivacyPart[] => {
    let position = 0
    const parts: PrivacyPart[] = []
    for (const { start, end, rule, replacement } of scrubber.scrub(text, known).spans) {
      if (start > position) parts.push({ text: text.slice(position, start), rule: null, becomes: null })
      parts.push({ text: text.slice(start, end), rule, becomes: replacement })
      position = end
    }
    return position < text.length ? [...parts, { text: text.slice(position), rule: null, becomes: null }] : parts
  }
  /** Most tables have no names, and most labels no digit: then nothing has to be compiled for every study. */
  const isKnownIn = (known: KnownIdentity, text: string): boolean => (known.names.length > 0 || /\d/.test(text)) && scrubber.scrubKnown(text, known).findings.length > 0
  return {
    prepare, notice, gather, apply,
    guardLabels: (issues) => createLabelGuard(mapping, {
      scrub: (text) => scrubber.scrub(text, { patientId: '', names: [], ids: [] }), isKnown: (study, text) => isKnownIn(allKnownOf(study), text), isNameRuleOn: !options.off.includes('names'),
    }, issues),
    explain: (study, text) => {
      const [row, header] = [allKnownOf(study), headerKnown.get(study.rows[0]!)]
      return partsOf(text, header ? { ...row, names: [...row.names, ...header.names], ids: [...row.ids, ...header.ids] } : row)
    },
    explainExample: (text) => partsOf(text, { patientId: '', names: [], ids: [] }),
    applyKnown: (study, names, ids) => {
      const known = { patientId: study.patientId, names, ids: ids.filter(isTellingId) }
      headerKnown.set(study.rows[0]!, known)
      rewrite(study, (text) => scrubber.scrubKnown(text, known))
    },
    report: () => ({ options, studiesWithText, studiesChanged: changed.size, agesCapped: cappedRows.size, findings: collector.list() }),
  }
}

function baseName(path: string): string {
  return path.replace(/^.*[\\/]/, '').replace(/\.[^.]{1,5}$/, '')
}

/** Signs of a text that was read with the wrong character set: characters that stand for nothing, and controls. */
const unreadable = /[\uFFFD\u0000-\u0008\u000B\u000C\u000E-\u001F\u0080-\u009F]/gu
/** A broken quotation mark here and there hides no name; a text of which every twentieth character is broken may hide any. */
const unreadableShare = 0.05
const leastUnreadable = 5

/** Rules cannot clean what they cannot read: such a text stops the import. */
function noteUnreadable(study: GroupedStudy, mapping: Mapping, issues: IssueCollector): void {
  for (const [index, value] of study.values.entries()) {
    if (value === null || mapping.slots[index]!.slot.modality !== 'text') continue
    const count = value.match(unreadable)?.length ?? 0
    if (count >= leastUnreadable && count > unreadableShare * value.length) {
      issues.add('IMPORT_PRIVACY_UNREADABLE', 'blocks', study.rows[0]!, `Row ${study.rows[0]}, ${mapping.slots[index]!.slot.title}: ${count} of ${value.length} characters cannot be read, so no rule can clean this text.`)
    }
  }
}

/** The last look: an ID that survived inside a longer word, or that is the name of a label, stops the import. */
function noteResidue(row: number, texts: readonly string[], known: KnownIdentity, labelNames: readonly string[], issues: IssueCollector): void {
  for (const id of [known.patientId, ...known.ids]) {
    if (!isTellingId(id) || id.length < 6) continue
    const low = id.toLowerCase()
    if (texts.some((text) => text.includes(low))) {
      issues.add('IMPORT_PRIVACY_RESIDUE', 'blocks', row, `Row ${row}: a number of the patient is still in a text, inside a longer word.`)
    }
    if (labelNames.some((name) => name.toLowerCase().includes(low))) issues.add('IMPORT_PRIVACY_RESIDUE', 'blocks', row, `Row ${row}: a label has the patient's number as its name.`)
  }
}

/**
 * Stops an import whose texts could not be cleaned.
 * @throws AppError IMPORT_PRIVACY_RESIDUE, IMPORT_PRIVACY_UNREADABLE, IMPORT_PRIVACY_HEADER
 */
export function assertNoResidue(issues: IssueCollector): void {
  const issue = issues.list().find(({ code }) => code.startsWith('IMPORT_PRIVACY_'))
  if (issue) throw new AppError(issue.code, `${issue.examples[0]?.detail ?? issue.title}${issue.count > 1 ? ` ${issue.count} rows are like that.` : ''} Nothing was imported.`)
}

function createFindingCollector(): { add: (slotId: string, row: number, findings: readonly Finding[]) => void; list: () => PrivacyFindings[] } {
  const bySlotAndRule = new Map<string, PrivacyFindings & { rows: Set<number> }>()
  return {
    add(slotId, row, findings) {
      for (const { rule, original, replacement } of findings) {
        const key = `${slotId} ${rule}`
        const entry = bySlotAndRule.get(key) ?? { slotId, rule, count: 0, studyCount: 0, examples: [], rows: new Set<number>() }
        bySlotAndRule.set(key, entry)
        entry.count++
        entry.rows.add(row)
        const masked = maskText(original)
        if (entry.examples.length < maxExamples && !entry.examples.some((example) => example.masked === masked)) entry.examples.push({ row, masked, becomes: replacement })
      }
    },
    list: () => [...bySlotAndRule.values()].map(({ rows, ...entry }) => ({ ...entry, studyCount: rows.size })).sort((a, b) => (a.slotId === b.slotId ? b.count - a.count : a.slotId < b.slotId ? -1 : 1)),
  }
}
