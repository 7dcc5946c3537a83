/**
 * Checks a folder of reference numbers: `run-golden.ts --dir FOLDER [--data DIR]`; the data, for DICOM, is looked for in `FOLDER/../data` otherwise.
 * One line per case; exit status 1 when a case misses its bound, an item breaks, or nothing at all could be checked.
 */
import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { items, knownItems } from './registry.ts'
import { createReport, type GoldenOptions } from './report.ts'

// Code beside the reference folders of this project.
const ownFolders = ['items', 'scripts']

const write = (line: string) => process.stdout.write(`${line}\n`)

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { dir: { type: 'string' }, data: { type: 'string' } } })
  const root = path.resolve(values.dir ?? path.join('tests', 'golden'))
  if (!existsSync(root)) {
    write(`The folder ${root} does not exist.`)
    return 2
  }
  // Reference sets lie beside the data that they were made from.
  const beside = path.join(root, '..', 'data')
  const options: GoldenOptions = {
    dataDir: values.data !== undefined ? path.resolve(values.data) : existsSync(beside) ? beside : null,
    weightsDir: process.env['LACUNA_WEIGHTS'] ?? path.join(homedir(), '.cache', 'lacuna', 'weights'),
  }
  const totals = { passed: 0, failed: 0, notChecked: 0, notImplemented: 0, absent: 0 }
  for (const name of knownItems) {
    const folder = path.join(root, name)
    const item = items.find((one) => one.name === name)
    if (!existsSync(folder)) {
      write(`ABSENT ${name}`)
      totals.absent += 1
    } else if (item === undefined) {
      write(`NOT IMPLEMENTED ${name}`)
      totals.notImplemented += 1
    } else {
      const report = createReport(name, write)
      try {
        await item.run(folder, report, options)
      } catch (error) {
        report.checkThat('item stopped', false, error instanceof Error ? error.message : String(error))
      }
      totals.passed += report.totals.passed
      totals.failed += report.totals.failed
      totals.notChecked += report.totals.notChecked
    }
  }
  const others = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  for (const { name } of others) {
    if (!knownItems.some((known) => known === name) && !ownFolders.includes(name)) write(`UNKNOWN ${name}`)
  }
  write(
    `${totals.passed} passed, ${totals.failed} failed, ${totals.notChecked} not checked, ` +
      `${totals.notImplemented} items not implemented, ${totals.absent} items absent`,
  )
  return totals.failed > 0 || totals.passed === 0 ? 1 : 0
}

process.exitCode = await main()
