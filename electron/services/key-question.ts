import { dialog } from 'electron'
import type { AppError, ErrorCode } from '../../engine/domain/errors.ts'

const keyCodes: ReadonlySet<ErrorCode> = new Set(['STORE_KEY_MISSING', 'STORE_KEY_INVALID'])

/** Whether the database was refused for its key, which a copy of the file mends. */
export const isKeyProblem = (error: AppError): boolean => keyCodes.has(error.code)

const explanation = 'Labels, predictions, reviews and pseudonyms are safe in the database; they need the key to be opened. If you have a copy of the file that ends in ".key", choose it: '
  + 'it is used only when it is the right one, and put back beside the database.\n\nWithout any copy the places of the images, the pseudonyms of further deliveries and the shift of dates are lost. '
  + 'No new key is made, because the same patient would become two; keep this database as it is and import into a new one.'

/**
 * Before there is a window: says what the missing or wrong key means, and asks for a copy of it. Null: the user gives up for now.
 * A test names the file in LACUNA_TEST_DIALOGS; it is given once.
 */
export function createKeyQuestion(): (error: AppError) => string | null {
  let answer = (JSON.parse(process.env.LACUNA_TEST_DIALOGS ?? '{}') as Record<string, string>).chooseKey
  return (error) => {
    if (process.env.LACUNA_TEST_DIALOGS !== undefined) {
      const given = answer ?? null
      answer = undefined
      return given
    }
    const chosen = dialog.showMessageBoxSync({ type: 'warning', title: 'Lacuna', message: 'Lacuna cannot open its database: the key is missing or is another one', detail: `${error.message}\n\n${explanation}`, buttons: ['Choose the key file…', 'Quit'], defaultId: 0, cancelId: 1, noLink: true })
    return chosen === 0 ? (dialog.showOpenDialogSync({ title: 'Key file of this database', properties: ['openFile', 'showHiddenFiles'], filters: [{ name: 'Key', extensions: ['key'] }, { name: 'All files', extensions: ['*'] }] })?.[0] ?? null) : null
  }
}
