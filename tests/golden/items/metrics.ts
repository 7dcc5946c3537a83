/** Reference values of the evaluation metrics and tests; conventions in the folder's own README. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { asArray, asObject, type Json } from '../comparison.ts'
import type { GoldenItem } from '../report.ts'
import { checkBootstrap, checkDeLong, checkMultiplicity, checkTests } from './metrics-comparison.ts'
import { checkKappa, checkMulticlass, checkMultilabel } from './metrics-labels.ts'

const checks = {
  'multilabel.json': checkMultilabel,
  'multiclass.json': checkMulticlass,
  'kappa.json': checkKappa,
  'delong.json': checkDeLong,
  'holm.json': checkMultiplicity,
  'bootstrap.json': checkBootstrap,
} as const

export const metricsItem: GoldenItem = {
  name: 'metrics',
  async run(folder, report) {
    const read = (file: string): Json => JSON.parse(readFileSync(path.join(folder, file), 'utf8'))
    for (const [file, check] of Object.entries(checks)) {
      if (!existsSync(path.join(folder, file))) {
        report.notChecked(`${file} is absent`)
        continue
      }
      asArray(read(file), file).forEach((entry, index) => {
        const one = asObject(entry, file)
        const name = typeof one['name'] === 'string' ? one['name'] : `${file.replace('.json', '')}_${index}`
        check(report, name, one)
      })
    }
    if (existsSync(path.join(folder, 'tests.json'))) checkTests(report, asObject(read('tests.json'), 'tests.json'))
    else report.notChecked('tests.json is absent')
    for (const file of readdirSync(folder)) {
      if (!(file in checks) && file !== 'tests.json' && file !== 'README.md') report.notChecked(file)
    }
  },
}
