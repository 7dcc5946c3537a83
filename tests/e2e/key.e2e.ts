import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeLargeStore } from './harness/large-store.ts'
import { useApp } from './harness/one-app.ts'
import { open, slowMs } from './harness/steps.ts'

/** The app beside a database whose key is gone or damaged: it asks for a copy, takes the right one and opens. */

const { folder, launch } = useApp()

test('a copy of the lost key is put back beside the database, and the log says so', async () => {
  const dir = join(folder, 'store')
  makeLargeStore(dir, 40)
  const key = join(dir, 'lacuna.db.key')
  const copy = join(folder, 'from the backup.key')
  copyFileSync(key, copy)
  renameSync(key, join(folder, 'lost'))
  writeFileSync(key, 'damaged')
  const { page } = await launch({ dir, dialogs: { chooseKey: copy } })
  await page.getByRole('heading', { name: 'Cohorts', level: 1 }).waitFor({ timeout: slowMs })
  await page.getByText('Large').first().waitFor()
  expect(readFileSync(key, 'utf8')).toBe(readFileSync(copy, 'utf8'))
  expect(readFileSync(`${key}.set-aside-1`, 'utf8')).toBe('damaged')
  await open(page, '/workstation')
  await page.getByText('Key file put back from a copy').waitFor({ timeout: slowMs })
})
