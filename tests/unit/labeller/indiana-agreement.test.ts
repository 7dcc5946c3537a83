import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { labelReport } from '../../../engine/labeller/label-report.ts'
import { compileRules } from '../../../engine/labeller/rules.ts'

const dataDir = process.env.LACUNA_TEST_DATA ?? join(import.meta.dirname, '../../../../shared/data')
const table = join(dataDir, 'iu_reports/indiana_reports.csv')

type Coded = (problems: readonly string[], mesh: readonly string[]) => boolean
const has = (...names: string[]): Coded => (problems) => names.some((name) => problems.includes(name))
const path = (pattern: RegExp): Coded => (_, mesh) => mesh.some((term) => pattern.test(term))
const any = (...tests: Coded[]): Coded => (problems, mesh) => tests.some((test) => test(problems, mesh))

/** The human codes (MeSH terms and RadLex words of the collection) that stand for each finding. */
const codes: Record<string, Coded> = {
  atelectasis: has('Pulmonary Atelectasis'), cardiomegaly: has('Cardiomegaly'), consolidation: has('Consolidation'),
  oedema: has('Pulmonary Edema', 'Pulmonary Congestion', 'Heart Failure'), effusion: any(has('Pleural Effusion', 'Hydropneumothorax'), path(/^Costophrenic Angle.*blunt/)),
  emphysema: has('Emphysema', 'Pulmonary Emphysema'), fibrosis: has('Pulmonary Fibrosis', 'Lung Diseases, Interstitial'), scarring: has('Cicatrix'),
  hernia: has('Hernia, Hiatal', 'Hernia, Diaphragmatic'), opacity: any(has('Opacity', 'Infiltrate', 'Airspace Disease'), path(/^Density.*lung/)), mass: has('Mass'), nodule: has('Nodule'),
  'pleural-thickening': path(/^Thickening\/pleura/), pneumonia: has('Pneumonia'), pneumothorax: has('Pneumothorax', 'Hydropneumothorax'), fracture: has('Fractures, Bone'),
  devices: has('Catheters, Indwelling', 'Medical Device', 'Implanted Medical Device', 'Surgical Instruments', 'Stents', 'Sutures', 'Spinal Fusion', 'Tube, Inserted'),
  granuloma: any(has('Calcified Granuloma', 'Granuloma', 'Granulomatous Disease'), path(/^Calcinosis(?!.*(?:aorta|blood|vascular|arter|trachea))/)),
  hyperinflation: path(/hyperdistention|^Diaphragm.*flattened/), 'low-volumes': path(/hypoinflation/), aorta: any(has('Aorta', 'Aorta, Thoracic', 'Atherosclerosis'), path(/^Calcinosis\/(?:aorta|blood)/)),
  spine: has('Thoracic Vertebrae', 'Spine', 'Scoliosis', 'Kyphosis', 'Osteophyte', 'Spondylosis', 'Lumbar Vertebrae', 'Hyperostosis, Diffuse Idiopathic Skeletal', 'Bone Diseases, Metabolic', 'Arthritis'),
  diaphragm: any(has('Diaphragmatic Eventration'), path(/^Diaphragm.*elevated/)), interstitial: any(has('Markings'), path(/^Lung\/.*interstitial/)), 'no-finding': has('normal'),
}

interface Counts { finding: string; truePositive: number; falsePositive: number; falseNegative: number; unsureCoded: number; unsureUncoded: number }

/** Agreement with the coding. Reports that the rules leave in doubt are unknown by default and so count neither way; `f1IfPositive` takes them for positive. */
function measureAgreement(): (Counts & { positives: number; precision: number; recall: number; f1: number; f1IfPositive: number })[] {
  const rows = parse(readFileSync(table), { columns: true }) as Record<'Problems' | 'MeSH' | 'findings' | 'impression', string>[]
  const rules = compileRules({ findings: [], ownFindings: [], edits: [] })
  const counts = new Map<string, Counts>()
  for (const row of rows) {
    const [problems, mesh] = [row.Problems, row.MeSH].map((cell) => cell.split(';').map((term) => term.trim()))
    for (const { finding, outcome } of labelReport([{ slotId: 'report', text: `Findings: ${row.findings}\nImpression: ${row.impression}` }], rules)) {
      const isCoded = codes[finding]?.(problems!, mesh!)
      if (isCoded === undefined || outcome === 'no-report') continue
      const entry = counts.get(finding) ?? { finding, truePositive: 0, falsePositive: 0, falseNegative: 0, unsureCoded: 0, unsureUncoded: 0 }
      counts.set(finding, entry)
      if (outcome === 'uncertain') entry[isCoded ? 'unsureCoded' : 'unsureUncoded']++
      else if (outcome === 'positive') entry[isCoded ? 'truePositive' : 'falsePositive']++
      else if (isCoded) entry.falseNegative++
    }
  }
  const f1 = (tp: number, wrong: number): number => (2 * tp) / (2 * tp + wrong)
  return [...counts.values()].map((entry) => {
    const { truePositive: tp, falsePositive: fp, falseNegative: fn, unsureCoded, unsureUncoded } = entry
    return { ...entry, positives: tp + fn + unsureCoded, precision: tp / (tp + fp), recall: tp / (tp + fn), f1: f1(tp, fp + fn), f1IfPositive: f1(tp + unsureCoded, fp + unsureUncoded + fn) }
  })
}

describe.skipIf(!existsSync(table))('400 chest reports with human codes', () => {
  it('agrees with the coding where there are at least ten positives', () => {
    const agreement = measureAgreement()
    const common = agreement.filter(({ positives }) => positives >= 10)
    const mean = (key: 'f1' | 'f1IfPositive'): number => common.reduce((sum, entry) => sum + entry[key], 0) / common.length
    const number = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(2))
    const lines = agreement.map(({ finding, positives, precision, recall, f1, f1IfPositive, truePositive, falsePositive, falseNegative, unsureCoded, unsureUncoded }) =>
      `${finding.padEnd(19)} coded ${String(positives).padStart(3)}  TP ${truePositive} FP ${falsePositive} FN ${falseNegative} in doubt ${unsureCoded}+${unsureUncoded}  P ${number(precision)} R ${number(recall)} F1 ${number(f1)} (doubt as positive ${number(f1IfPositive)})`)
    process.stdout.write(`${lines.join('\n')}\nmacro-F1 over ${common.length} findings with at least 10: ${mean('f1').toFixed(3)}, doubt as positive ${mean('f1IfPositive').toFixed(3)}\n`)
    expect(mean('f1')).toBeGreaterThan(0.85)
    expect(mean('f1IfPositive')).toBeGreaterThan(0.8)
  })
})
