import type { Fingerprint, Histogram } from '../domain/fingerprint.ts'
import { describePattern } from '../domain/slots.ts'
import { startMeasuring } from '../jobs/fingerprint/measure-cohort.ts'
import type { Workspace } from '../jobs/workspace.ts'
import { cohortNamed } from './import-command.ts'
import type { CliOutput } from './output.ts'
import { required, type CliOptions } from './options.ts'

/** `lacuna fingerprint`: the fingerprint page in words, or as one JSON document. Images without measures are measured first. */
export async function fingerprintCommand(workspace: Workspace, options: CliOptions, output: CliOutput, onInterrupt: (cancel: () => void) => void): Promise<void> {
  const { cohortId } = cohortNamed(workspace, required(options, 'cohort'))
  const request = { cohortId, weightsDir: workspace.paths.weightsDir }
  if (workspace.store.imageMeasures.countUnmeasured(cohortId) > 0) {
    const running = startMeasuring(workspace, cohortId, output.progress)
    onInterrupt(running.cancel)
    const counts = await running.counts
    if (counts === null) {
      process.exitCode = 130
      return output.note('Cancelled; what was measured is kept.')
    }
  }
  const fingerprint = await workspace.reader.read('fingerprint:get', request)
  output.result(fingerprint, formatFingerprint(fingerprint))
}

function formatFingerprint(print: Fingerprint): string {
  const slots = print.slots.map(({ slot }) => slot)
  const titleOf = (slotId: string): string => slots.find((slot) => slot.slotId === slotId)?.title ?? slotId
  const section = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)])
  return [
    `Fingerprint of "${print.cohortName}"${print.contentHash === null ? '' : ` (${print.contentHash.slice(0, 12)})`}`,
    `${print.patients} patients (${print.patientsWithSeveralStudies} with several studies), ${print.studies} studies, ${print.presentItems} of ${print.items} items present`,
    ...section('Items', print.slots.map(({ slot, present, patientsWithout, absences }) => `${slot.title}: ${present} of ${print.studies} studies; ${patientsWithout} patients have none${absences.map(({ reason, count }) => `; ${count} ${reason}`).join('')}`)),
    ...section('Presence patterns (studies)', print.patterns.map(({ pattern, studies, patients }) => `${String(studies).padStart(6)}  ${describePattern(slots, pattern)}; ${countOf(patients, 'patient')}`)),
    ...section('Follow-up', followUpLines(print.followUp)),
    ...section(`Is absence random? (${print.missingness.testCount} tests, adjusted together)`, [
      ...print.missingness.verdicts.map(({ sentence }) => sentence),
      ...print.missingness.tests.filter(({ isNotable }) => isNotable).map(({ sentence }) => `- ${sentence}`),
    ]),
    ...section('Images', print.images.map((images) => `${titleOf(images.slotId)}: ${images.sizes.map(({ widthPx, heightPx, count }) => `${widthPx} x ${heightPx} (${count})`).join(', ')}${images.otherSizes > 0 ? ` and ${images.otherSizes} of other sizes` : ''}; ${images.formats.map(({ name, count }) => `${count} ${name}`).join(', ')}; ${images.greyCount} grey, ${images.colourCount} colour; median brightness ${medianOf(images.meanLuminance)} of 255; ${images.flatCount} almost empty`)),
    ...(print.unmeasured > 0 ? [`  ${print.unmeasured} images could not be measured: their files are gone or changed.`] : []),
    ...section('Text', print.text === null ? [] : [`${print.text.studies} studies with text: median ${print.text.median} tokens, 95 % up to ${print.text.percentile95}, longest ${print.text.longest}; ${print.text.truncated} are longer than ${print.text.limit} tokens and would be cut`]),
    ...section('Labels', print.labels.map(({ name, positives, negatives, unknown, positivePatients }) => `${name}: ${positives} positive (${countOf(positivePatients, 'patient')}), ${negatives} negative, ${unknown} unknown`)),
    ...section('The same image twice', [
      `${print.duplicates.groupCount} groups of identical files, ${print.duplicates.acrossPatients} of them under different patients`,
      `${print.nearDuplicates.acrossPatients} pairs of different patients that show the same (of ${print.nearDuplicates.compared} images), ${print.nearDuplicates.withinPatient} pairs of one patient`,
      ...print.nearDuplicates.pairs.slice(0, 10).map(({ first, second, similarity }) => `- ${first.patientKey} ${titleOf(first.slotId)} and ${second.patientKey} ${titleOf(second.slotId)}, similarity ${similarity.toFixed(3)}`),
    ]),
    ...section('Unreadable files', print.unreadable.map(({ slotId, detail, count }) => `${count} in ${titleOf(slotId)}: ${detail}`)),
  ].join('\n')
}

function followUpLines(followUp: Fingerprint['followUp']): string[] {
  if (followUp === null) return []
  const { datedStudies, undatedStudies, doubtfulStudies, followedPatients, spanDays } = followUp
  return [
    `Days known of ${countOf(datedStudies, 'study', 'studies')}, not known of ${undatedStudies}${doubtfulStudies > 0 ? `, impossible in ${doubtfulStudies} (see the alarms)` : ''}`,
    `${countOf(followedPatients, 'patient')} with studies on more than one day${spanDays === null ? '' : `: ${spanDays.shortest} to ${spanDays.longest} days from first to last, median ${spanDays.median}`}`,
  ]
}

function countOf(count: number, what: string, many = `${what}s`): string {
  return `${count} ${count === 1 ? what : many}`
}

/** Middle of the bin that holds the middle value. */
function medianOf({ edges, counts }: Histogram): string {
  const half = counts.reduce((sum, count) => sum + count, 0) / 2
  let sum = 0
  const bin = counts.findIndex((count) => (sum += count) >= half)
  return bin < 0 ? '?' : ((edges[bin]! + edges[bin + 1]!) / 2).toFixed(0)
}
